// How many requests a second a client allows itself: `rate` on average, `burst` at once. Callers are served in the
// order in which they asked.
#pragma once
#include <algorithm>
#include <mutex>

#include "base/clock.h"

namespace godwit::kube {

class TokenBucket {
 public:
  TokenBucket(double rate, int burst) : rate_(rate), burst_(std::max(1, burst)), tokens_(burst_) {}

  // Takes a token and says how long to wait before acting on it; zero when one was there. rate 0: no limit.
  Duration take(Duration now) {
    if (rate_ <= 0) return Duration::zero();
    std::lock_guard lock(mutex_);
    const double gained = std::chrono::duration<double>(now - filled_).count() * rate_;
    tokens_ = std::min<double>(burst_, tokens_ + gained);
    filled_ = now;
    tokens_ -= 1;  // below zero: promised to those who wait
    if (tokens_ >= 0) return Duration::zero();
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(-tokens_ / rate_));
  }

 private:
  const double rate_;
  const double burst_;
  std::mutex mutex_;
  double tokens_;
  Duration filled_{0};
};

}  // namespace godwit::kube
