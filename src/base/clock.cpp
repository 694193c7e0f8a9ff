#include "base/clock.h"

namespace godwit {

TimePoint SystemClock::now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Duration SystemClock::monotonic() const {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

TimePoint ManualClock::now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

Duration ManualClock::monotonic() const {
  std::lock_guard lock(mutex_);
  return elapsed_;
}

void ManualClock::advance(Duration by) {
  std::lock_guard lock(mutex_);
  now_ += by;
  elapsed_ += by;
}

}  // namespace godwit
