// Leader election by a coordination.k8s.io Lease, with client-go's rules: whoever holds the Lease renews it; a record
// that has not changed for its duration, by the observer's own monotonic clock, may be taken over. Wall clocks of
// different machines are never compared.
#pragma once
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "kube/api.h"

namespace godwit::kube {

struct LeaderOptions {
  std::string ns;
  std::string name = "godwit-operator";
  std::string identity;                               // unique for each replica: pod name and a uuid
  Duration leaseDuration = std::chrono::seconds(15);  // others may take over after this much silence
  Duration renewDeadline = std::chrono::seconds(10);  // the holder steps down when it could not renew for this long
  Duration retryPeriod = std::chrono::seconds(2);     // between attempts, of holder and others
};

// What comes after an attempt: how long until the next, and whether its error is news.
class Attempts {
 public:
  Attempts(const Clock& clock, Duration retryPeriod) : clock_(clock), retryPeriod_(retryPeriod) {}
  // What may pass quickly is tried again soon: nothing is led while the server is away, and its return must not be
  // missed. What only somebody's hand changes (a right, a namespace) is asked for less and less often, but by who
  // leads.
  Duration pause(const Result<bool>& held, bool leading);
  // Another error than the last one, or the same one after a minute.
  bool isNews(const Result<bool>& held);

 private:
  const Clock& clock_;
  const Duration retryPeriod_;
  int patience_ = 1;  // in periods
  std::string said_;  // last; empty: nothing since an attempt went well
  Duration saidAt_{0};
};

class LeaderElector {
 public:
  LeaderElector(Api& api, const Clock& clock, LeaderOptions options);

  // One attempt: acquires, renews or observes. True: this replica holds the Lease now. False: another does. An error
  // leaves open who holds it; mayLead() says whether this replica may still act.
  Result<bool> attempt();
  // This replica holds the Lease and renewed it within renewDeadline. Any thread.
  bool mayLead() const { return left() > Duration::zero(); }
  // Gives the Lease up, so that the next replica need not wait. Best effort.
  void release();

  // Blocks until `stop` or until leadership is lost after it was won. `lead` runs in a thread of its own with a token
  // that is stopped when leadership ends, at renewDeadline even while a server is slow to answer; returns after it has
  // returned. True: `stop` asked for it; false: lost.
  bool run(std::stop_token stop, const std::function<void(std::stop_token)>& lead);

 private:
  struct Record {
    std::string holder, resourceVersion, renewTime;
    std::int64_t transitions = 0, durationSeconds = 0;
  };
  Result<bool> create();
  Result<bool> take(const Record& record);
  Json spec(const Record& previous) const;
  void observe(const Record& record);
  bool expired(const Record& record) const;
  void renewed(std::optional<Duration> at);
  Duration left() const;  // until it may not lead any more

  Api& api_;
  const Clock& clock_;
  const LeaderOptions options_;
  std::string seenVersion_;            // resourceVersion of the record last seen
  Duration seenAt_{0};                 // and when, by the monotonic clock
  mutable std::mutex mutex_;           // of what follows
  std::optional<Duration> renewedAt_;  // set while this replica holds the Lease
};

}  // namespace godwit::kube
