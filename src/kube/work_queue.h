// The controller's queue: a key is in work at most once, is never lost while in work, and comes back with back-off.
#pragma once
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/random.h"

namespace godwit::kube {

struct BackOff {
  Duration first = std::chrono::milliseconds(20);
  Duration most = std::chrono::minutes(5);
  double jitter = 0.2;  // the delay is spread by up to this fraction either way

  // After `failures` in a row (1 or more): first, twice that, ... up to most, then spread.
  Duration delay(int failures, Random& random) const;
};

class WorkQueue {
 public:
  WorkQueue(const Clock& clock, Random& random, BackOff backOff = {});

  void add(const std::string& key);                       // now; coalesces
  void addAfter(const std::string& key, Duration delay);  // the earliest of several delays wins
  void addRateLimited(const std::string& key);            // after this key's back-off, which doubles each time
  void forget(const std::string& key);                    // success: back-off starts anew
  void retryFailed();                                     // what made keys fail is over: those in back-off are due now

  // The next key, in order of arrival, marked as in work until done(). get() blocks until there is one; nullopt after
  // shutDown(). tryGet() never blocks (the simulation's stepper).
  std::optional<std::string> get();
  std::optional<std::string> tryGet();
  void done(const std::string& key);  // a key added meanwhile is queued again

  std::optional<Duration> nextDelay()
      const;  // until the earliest delayed key is due (0: something is ready); nullopt: empty
  std::size_t depth() const;
  void shutDown();

 private:
  std::optional<std::string> takeLocked();
  void queueLocked(const std::string& key);
  void delayLocked(const std::string& key, Duration due);
  void promoteLocked();
  std::optional<Duration> nextDelayLocked() const;

  const Clock& clock_;
  Random& random_;
  BackOff backOff_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::string> ready_;  // in order of arrival
  std::set<std::string> wanted_;   // in ready_, or added while in work
  std::set<std::string> working_;
  std::map<std::string, Duration> due_;               // by key, on the monotonic clock
  std::set<std::pair<Duration, std::string>> order_;  // the same, earliest first
  std::map<std::string, int> failures_;
  bool stopped_ = false;
};

}  // namespace godwit::kube
