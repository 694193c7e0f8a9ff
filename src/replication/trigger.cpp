#include "replication/trigger.h"

#include "api/cron.h"

namespace godwit::replication {

TriggerKind triggerKind(const api::ReplicationSpec& spec) {
  if (!spec.trigger) return TriggerKind::Always;
  if (spec.trigger->manual && !spec.trigger->manual->empty()) return TriggerKind::Manual;
  if (spec.trigger->schedule && !spec.trigger->schedule->empty()) return TriggerKind::Schedule;
  return TriggerKind::Always;
}

static Result<Timing> scheduled(const std::string& text, const api::ReplicationStatus& status, TimePoint now,
                                std::string_view zone) {
  auto schedule = api::CronSchedule::parse(text, zone);
  if (!schedule) return Error{Errc::Invalid, "spec.trigger.schedule: " + schedule.error().message};
  Timing out;
  out.due = !status.lastSyncTime;
  if (!status.lastSyncTime) return out;
  out.next = schedule->next(*status.lastSyncTime);
  if (out.next) out.deadline = schedule->next(*out.next);
  out.due = out.next && now >= *out.next;
  out.missed = out.deadline && now > *out.deadline;
  return out;
}

Result<Timing> timing(const api::ReplicationSpec& spec, const api::ReplicationStatus& status, TimePoint now,
                      std::string_view zone) {
  switch (triggerKind(spec)) {
    case TriggerKind::Schedule:
      return scheduled(*spec.trigger->schedule, status, now, zone);
    case TriggerKind::Manual: {
      Timing out;
      out.due = !status.lastSyncTime || status.lastManualSync != spec.trigger->manual;
      return out;
    }
    case TriggerKind::Always:
      break;
  }
  Timing out;
  out.due = true;
  return out;
}

}  // namespace godwit::replication
