// One synchronisation now, by spec.trigger.manual, which does not outlive it: a manual trigger that stays wins over
// every schedule, and an object without a trigger, which synchronises all the time, would never do so again.
#pragma once
#include <functional>
#include <stop_token>

#include "base/clock.h"
#include "kube/api.h"

namespace godwit::cli {

struct SyncOnce {
  std::function<void(const Json& source)> tick;              // while waiting, for what moves on the screen
  std::function<std::string(const Json& source)> complaint;  // for the message of a timeout
  Duration timeout = std::chrono::hours(1);
  std::stop_token stop;
};

// The ReplicationSource once it has synchronised. However it ends, spec.trigger is what it was before: unless that had
// a manual trigger of the user's own, which would ask for one more sync (another value takes its place), or somebody
// else has set one meanwhile. Errors say whether the sync goes on that is not waited for any more, or what to type
// where the trigger could not be put back.
Result<Json> syncOnce(kube::Api& api, const kube::NamespacedName& key, const SyncOnce& how);

}  // namespace godwit::cli
