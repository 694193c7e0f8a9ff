// The two retry policies of contract section 4. Pure: the caller brings the time and does the waiting.
#pragma once
#include <algorithm>
#include <optional>

#include "base/clock.h"

namespace godwit::mover {

// Before authentication: from 50 ms, doubling up to 1 s, for 62 s since the first attempt.
class ConnectRetry {
 public:
  explicit ConnectRetry(Duration start, Duration window = std::chrono::seconds(62)) : end_(start + window) {}
  // How long to wait before the next attempt; nothing when the window is over.
  std::optional<Duration> next(Duration now) {
    if (now >= end_) return std::nullopt;
    const auto delay = std::min(delay_, end_ - now);
    delay_ = std::min(delay_ * 2, Duration(std::chrono::seconds(1)));
    return delay;
  }

 private:
  Duration end_;
  Duration delay_ = std::chrono::milliseconds(50);
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
