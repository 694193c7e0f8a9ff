// One object, one look, one move: the single place that turns outcomes of steps into status, events, requeue and
// metrics.
#pragma once
#include <optional>

#include "replication/steps.h"

namespace godwit::replication {

struct Next {
  bool again = false;               // at once
  bool backOff = false;             // after the key's back-off: something failed that may work later
  std::optional<TimePoint> wakeAt;  // at the latest then
};

// Reads only `doors.views` unless a step needs more; writes through doors.api.
Next reconcile(Doors& doors, api::Role role, const api::NamespacedName& key);
// Nothing can be done for the object: its condition and an event say why.
Next refuse(Doors& doors, api::Role role, const api::NamespacedName& key, const std::string& why);

}  // namespace godwit::replication
