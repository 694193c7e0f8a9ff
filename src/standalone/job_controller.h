// batch/v1 Jobs: pods until enough have succeeded or too many have failed.
#pragma once
#include "kube/recorder.h"
#include "standalone/loop.h"

namespace godwit::standalone {

class JobController final : public Controller {
 public:
  JobController(Cluster& cluster, const Clock& clock, kube::Recorder& recorder)
      : cluster_(cluster), clock_(clock), recorder_(recorder), backoffs_(clock) {}
  bool step() override;
  std::optional<Duration> nextDelay() const override;

 private:
  struct Pods {
    std::vector<Object> active;
    std::int64_t succeeded = 0, failed = 0;
    std::optional<TimePoint> lastFailure;
  };
  Result<bool> reconcile(const Json& job);
  Result<bool> createPod(const Json& job);
  Result<bool> removePods(const Json& job, const std::vector<Object>& pods, std::size_t count);
  Result<bool> finish(const Json& job, const Pods& pods, const char* type, const char* reason,
                      const std::string& message);
  Result<bool> report(const Json& job);
  Result<bool> expire(const Json& job);
  std::optional<TimePoint> deadline(const Json* since, const Json* seconds);
  void dueAt(TimePoint when);

  Cluster& cluster_;
  const Clock& clock_;
  kube::Recorder& recorder_;
  Backoffs backoffs_;
  std::optional<TimePoint> due_;
};

}  // namespace godwit::standalone
