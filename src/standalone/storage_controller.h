// PersistentVolumeClaims and PersistentVolumes: provisioning out of the pool (empty, from a snapshot, from another
// claim), binding of volumes that users made, protection of claims in use, and reclaiming.
#pragma once
#include "kube/recorder.h"
#include "standalone/image_links.h"
#include "standalone/loop.h"

namespace godwit::standalone {

class StorageController final : public Controller {
 public:
  // `checkHostPaths`: whether hostPath directories are looked for on this machine (the simulation has none).
  // `images`: where links to volumes may be, or none.
  StorageController(Cluster& cluster, Volumes& volumes, Work& work, const Clock& clock, kube::Recorder& recorder,
                    bool checkHostPaths = true, const ImageLinks* images = nullptr)
      : cluster_(cluster),
        volumes_(volumes),
        work_(work),
        clock_(clock),
        recorder_(recorder),
        backoffs_(clock),
        checkHostPaths_(checkHostPaths),
        images_(images) {}
  bool step() override;
  std::optional<Duration> nextDelay() const override { return backoffs_.nextDelay(); }

 private:
  // Why a claim is still pending, as its event and its condition say it.
  struct Pending {
    std::string reason, message;  // an empty reason: nothing to say
    bool warning = true;
  };
  using Outcome = Result<std::optional<Pending>>;  // nullopt: something was done

  Result<bool> reconcileClaim(const Json& pvc);
  Result<bool> releaseClaim(const Json& pvc);
  Result<bool> explain(const Json& pvc, const Pending& pending);
  Outcome advance(const Json& pvc);
  Outcome bindNamed(const Json& pvc, const std::string& volumeName);
  Outcome bindAny(const Json& pvc);
  Outcome provision(const Json& pvc);
  Outcome fill(const Json& pvc, const Json& volume);
  Outcome bind(const Json& pvc, const Json& volume, PointInTime pointInTime);
  Object volumeClaimedBy(const Json& pvc) const;
  Object classOf(const Json& pvc) const;
  // The task that fills the volume, or why it must wait; nullopt when another populator fills it.
  Result<std::variant<Work::Task, Pending>> taskFor(const Json& pvc, const std::string& handle);
  Result<bool> reconcileVolume(const Json& volume);
  Result<bool> reclaim(const Json& volume);
  Result<bool> discard(const Json& volume);
  Result<bool> setPhase(const Json& volume, const char* phase);
  Result<bool> unprotect(const kube::ResourceType& type, const Json& object, const char* finalizer);
  bool inUse(const Json& pvc) const;

  Cluster& cluster_;
  Volumes& volumes_;
  Work& work_;
  const Clock& clock_;
  kube::Recorder& recorder_;
  Backoffs backoffs_;
  bool checkHostPaths_;
  const ImageLinks* images_;
};

}  // namespace godwit::standalone
