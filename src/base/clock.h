// Time as a narrow door: production asks the kernel, the simulation turns the hands itself.
#pragma once
#include <chrono>
#include <mutex>

namespace godwit {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::sys_time<Duration>;  // UTC

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time in UTC; may jump. Written into objects.
  virtual TimePoint now() const = 0;
  // Monotonic time since an arbitrary start; never jumps. For back-off, time-outs and durations.
  virtual Duration monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
  Duration monotonic() const override;
};

// Starts at a given instant and moves only when told to. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start) : now_(start) {}
  TimePoint now() const override;
  Duration monotonic() const override;
  void advance(Duration by);

 private:
  mutable std::mutex mutex_;
  TimePoint now_;
  Duration elapsed_{0};
};

}  // namespace godwit
