#include "replication/feed.h"

#include "base/log.h"

namespace godwit::replication {

namespace {

constexpr std::chrono::duration<double> kSoon{1};

}  // namespace

Duration Feed::failed(const Error& error, Random& random) {
  const bool unknown = error.code == Errc::NotFound || error.code == Errc::Unsupported;
  if (unknown && !absent.exchange(true)) log::warn("replication", "{}: {}", type.plural, error.message);
  if (!unknown) log::debug("replication", "watching {}: {}", type.plural, error.message);
  {
    std::lock_guard lock(mutex);
    lastError = error.message;
  }
  const bool refused = error.code == Errc::Forbidden;
  if (refused && !forbidden.exchange(true)) log::error("replication", "watching {}: {}", what(), error.message);
  away = away || error.code == Errc::Unavailable;
  if (error.code == Errc::Gone) failures = 0;  // a new list is the cure, not a wait
  const auto pause = kube::reflectorBackOff(++failures, random);
  // Who installs CRDs or rules wants to see the effect; and a server that is back must find everybody soon.
  return essential() || refused || error.code == Errc::Unavailable
             ? std::min(pause, std::chrono::duration_cast<Duration>(kSoon * (0.8 + 0.4 * random.unit())))
             : pause;
}

}  // namespace godwit::replication
