// VolumeSnapshots and their contents: taking, publishing, deleting.
#pragma once
#include "kube/recorder.h"
#include "standalone/image_links.h"
#include "standalone/loop.h"

namespace godwit::standalone {

class SnapshotController final : public Controller {
 public:
  // `images`: where links to snapshots may be; none where nobody reads by them (the simulation).
  SnapshotController(Cluster& cluster, Volumes& volumes, Work& work, const Clock& clock, kube::Recorder& recorder,
                     const ImageLinks* images = nullptr)
      : cluster_(cluster),
        volumes_(volumes),
        work_(work),
        clock_(clock),
        recorder_(recorder),
        images_(images),
        backoffs_(clock) {}
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
  Result<bool> discard(const Json& content, const std::string& handle);

  Cluster& cluster_;
  Volumes& volumes_;
  Work& work_;
  const Clock& clock_;
  kube::Recorder& recorder_;
  const ImageLinks* images_;
  Backoffs backoffs_;
};

}  // namespace godwit::standalone
