// The two retry policies of contract section 4. Pure: the caller brings the time and does the waiting.
#pragma once
#include <algorithm>
#include <optional>

#include "base/clock.h"

namespace godwit::mover {

// Before authentication: for 62 s since the first attempt, from 50 ms up to 1 s between them, a tenth of what has been
// waited so far. An end that starts late is found that much later at most: doubling would add up to as much again.
class ConnectRetry {
 public:
  explicit ConnectRetry(Duration start, Duration window = std::chrono::seconds(62))
      : start_(start), end_(start + window) {}
  // How long to wait before the next attempt; nothing when the window is over.
  std::optional<Duration> next(Duration now) const {
    if (now >= end_) return std::nullopt;
    const Duration delay = std::clamp<Duration>((now - start_) / 10, kLeast, kMost);
    return std::min(delay, end_ - now);
  }

 private:
  static constexpr Duration kLeast = std::chrono::milliseconds(50), kMost = std::chrono::seconds(1);
  Duration start_, end_;
};

// A transfer that breaks: five attempts, 2 s and doubling between them.
class TransferRetry {
 public:
  static constexpr int kAttempts = 5;
  int attempt() const { return attempt_; }  // 1 for the first
  std::optional<Duration> next() {
    if (attempt_ >= kAttempts) return std::nullopt;
    const Duration delay = std::chrono::seconds(1LL << attempt_);
    ++attempt_;
    return delay;
  }

 private:
  int attempt_ = 1;
};

}  // namespace godwit::mover
