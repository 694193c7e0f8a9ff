// The end of claims and volumes: what is in use stays, what is released is reclaimed as its policy says.
#include "standalone/objects.h"
#include "standalone/storage_controller.h"
#include "standalone/storage_rules.h"

namespace godwit::standalone {

namespace r = kube::resources;

// By a pod that has a node and has not ended, or by a copy that is being made from it. A pod without a node would wait
// for a claim that waits for it.
bool StorageController::inUse(const Json& pvc) const {
  const auto ns = text(pvc, "metadata", "namespace"), name = text(pvc, "metadata", "name");
  for (const auto& pod : cluster_.list(r::kPods)) {
    if (text(*pod, "metadata", "namespace") != ns || finished(*pod) || text(*pod, "spec", "nodeName").empty()) continue;
    for (const auto& volume : elements(find(*pod, "spec", "volumes"))) {
      if (text(volume, "persistentVolumeClaim", "claimName") == name) return true;
    }
  }
  for (const auto& other : cluster_.list(r::kPersistentVolumeClaims)) {
    const auto source = dataSourceOf(*other);
    if (source.kind == "PersistentVolumeClaim" && source.name == name && text(*other, "metadata", "namespace") == ns &&
        work_.busy(poolHandle(*other))) {
      return true;
    }
  }
  return false;
}

Result<bool> StorageController::releaseClaim(const Json& pvc) {
  return inUse(pvc) ? Result<bool>(false) : unprotect(r::kPersistentVolumeClaims, pvc, kClaimProtection);
}

Result<bool> StorageController::setPhase(const Json& volume, const char* phase) {
  return cluster_.patch(r::kPersistentVolumes, volume, {{"status", {{"phase", phase}}}}, kube::Subresource::Status);
}

Result<bool> StorageController::reconcileVolume(const Json& volume) {
  const auto* claim = find(volume, "spec", "claimRef");
  if (!claim) return setPhase(volume, "Available");
  const kube::NamespacedName key{text(*claim, "namespace"), text(*claim, "name")};
  const auto uid = text(*claim, "uid");
  if (uid.empty()) return setPhase(volume, "Available");  // kept for a claim that is still to come
  const auto pvc = cluster_.get(r::kPersistentVolumeClaims, key);
  if (pvc && uidOf(*pvc) == uid) {
    return text(*pvc, "status", "phase") == "Bound" ? setPhase(volume, "Bound") : Result<bool>(false);
  }
  GODWIT_ASSIGN(const auto current, cluster_.fresh(r::kPersistentVolumeClaims, key));
  if (current && uidOf(*current) == uid) return false;
  return reclaim(volume);
}

Result<bool> StorageController::reclaim(const Json& volume) {
  const bool ours = annotation(volume, "pv.kubernetes.io/provisioned-by") == kDriver;
  if (!ours || text(volume, "spec", "persistentVolumeReclaimPolicy") != "Delete") {
    if (isDeleting(volume)) return unprotect(r::kPersistentVolumes, volume, kVolumeProtection);
    return setPhase(volume, "Released");
  }
  if (images_) {  // copyMethod Direct: the volume is the image until a link shows the snapshot that replaced it
    GODWIT_ASSIGN(const bool held, images_->holds(volumes_.volumePath(text(volume, "metadata", "name")),
                                                  "PersistentVolumeClaim", text(volume, "spec", "claimRef", "name")));
    if (held) return false;
  }
  return discard(volume);
}

Result<bool> StorageController::discard(const Json& volume) {
  const auto handle = text(volume, "metadata", "name");
  if (work_.busy(handle)) {  // an abandoned copy runs to its end first
    (void)work_.ask(handle, {});
    return false;
  }
  const auto deletion = handle + "/delete";
  const auto done = work_.ask(deletion, [this, handle]() -> Result<PointInTime> {
    GODWIT_TRY(volumes_.deleteVolume(handle));
    return PointInTime::Yes;
  });
  if (!done) return false;
  if (!done->ok()) {
    recorder_.event(referenceTo(volume), kube::EventType::Warning, "VolumeFailedDelete", done->error().message);
    return done->error();
  }
  // Protected, it stays until its own deletion brings us here again.
  return isDeleting(volume) ? unprotect(r::kPersistentVolumes, volume, kVolumeProtection)
                            : cluster_.remove(r::kPersistentVolumes, volume);
}

// What somebody deletes stays until nobody needs it any more, as kubectl's users know it.
Result<bool> StorageController::unprotect(const kube::ResourceType& type, const Json& object, const char* finalizer) {
  if (!hasFinalizer(object, finalizer)) return false;
  return cluster_.patch(type, object, {{"metadata", {{"finalizers", finalizersWithout(object, finalizer)}}}});
}

}  // namespace godwit::standalone
