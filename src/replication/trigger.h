// When the next iteration is due: contract section 1, spec.trigger. Manual wins over schedule; neither means at once.
#pragma once
#include <optional>
#include <string>

#include "api/replication.h"

namespace godwit::replication {

enum class TriggerKind { Always, Schedule, Manual };
TriggerKind triggerKind(const api::ReplicationSpec& spec);

struct Timing {
  bool due = false;                   // an idle object starts now
  bool missed = false;                // the second scheduled instant after lastSyncTime has passed
  std::optional<TimePoint> next;      // status.nextSyncTime; schedules only
  std::optional<TimePoint> deadline;  // when `missed` becomes true; schedules only
};

// `zone`: the controller's time zone ("" = the machine's). Invalid names spec.trigger.schedule.
Result<Timing> timing(const api::ReplicationSpec& spec, const api::ReplicationStatus& status, TimePoint now,
                      std::string_view zone);

}  // namespace godwit::replication
