// VolumeSnapshots and their contents: taking, publishing, deleting.
#pragma once
#include "kube/recorder.h"
#include "standalone/loop.h"

namespace godwit::standalone {

class SnapshotController final : public Controller {
 public:
  SnapshotController(Cluster& cluster, Volumes& volumes, Work& work, const Clock& clock, kube::Recorder& recorder)
      : cluster_(cluster), volumes_(volumes), work_(work), clock_(clock), recorder_(recorder), backoffs_(clock) {}
  bool step() override;
  std::optional<Duration> nextDelay() const override { return backoffs_.nextDelay(); }

 private:
  Result<bool> reconcileSnapshot(const Json& snapshot);
  Result<bool> adopt(const Json& snapshot, const std::string& contentName);
  Result<bool> take(const Json& snapshot, const Json& content, const Json& pvc, const std::string& path);
  Result<bool> publish(const Json& snapshot, const Json& content, PointInTime pointInTime);
  Result<bool> refuse(const Json& snapshot, const std::string& message);
  Object classOf(const Json& snapshot) const;
  Result<bool> reconcileContent(const Json& content);

  Cluster& cluster_;
  Volumes& volumes_;
  Work& work_;
  const Clock& clock_;
  kube::Recorder& recorder_;
  Backoffs backoffs_;
};

}  // namespace godwit::standalone
