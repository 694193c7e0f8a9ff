// The image: the received data under a name of its own, published in status before the previous one goes.
#include "api/names.h"
#include "replication/act.h"
#include "replication/asked.h"
#include "replication/plan.h"

namespace godwit::replication {

namespace {

using kube::EventType;
using kube::resources::kPersistentVolumeClaims;
using kube::resources::kVolumeSnapshots;
constexpr Duration kPatience = std::chrono::seconds(30);

// The name is written on the volume before the snapshot is made: whoever comes after a crash makes the same one.
Result<std::string> imageOf(Pass& pass, const api::Pvc& volume) {
  const auto previous = pass.object.status.latestImage ? pass.object.status.latestImage->name : "";
  if (const auto written = imageInTheMaking(pass.object, volume); !written.empty()) return written;
  const auto name = nextImageName(volume.meta.name, previous, pass.world.now);
  const Json change = {{"metadata", {{"annotations", {{api::kSnapNameAnnotation, name}}}}}};
  GODWIT_TRY(patch(pass, pass.doors.views.pvcs, kPersistentVolumeClaims, volume.meta.key(), change));
  return name;
}

Outcome awaitReady(Pass& pass, const api::VolumeSnapshot& image) {
  if (image.readyToUse) {
    pass.object.status.latestImage = {"snapshot.storage.k8s.io", "VolumeSnapshot", image.meta.name};
    return Done{};
  }
  if (askedOtherwise(image.meta, askedSnapshot(pass.object))) return makeSnapshotAnew(pass, image);
  if (!image.error.empty()) pass.note = "VolumeSnapshot " + image.meta.name + ": " + image.error;
  warnAfter(pass, image.meta, kPatience, "VolumeSnapshotNotBound",
            "waiting for VolumeSnapshot " + image.meta.name + "; check the VolumeSnapshotClass and its driver");
  return Wait{"the image is not ready"};
}

Outcome snapshotImage(Pass& pass, const api::Pvc& volume) {
  const auto name = imageOf(pass, volume);
  if (!name) return outcomeOf(name.error());
  auto& views = pass.doors.views;
  pass.world.image = views.snapshots.get({pass.object.meta.ns, *name});
  if (!pass.world.image) {
    auto made = create(pass, views.snapshots, kVolumeSnapshots, planImage(pass.object, volume.meta.name, *name));
    if (!made) return outcomeOf(made.error());
    if (made->created) pass.tell(EventType::Normal, "VolumeSnapshotCreated", "created VolumeSnapshot " + *name);
    pass.world.image = made->object;
  }
  const auto& image = *pass.world.image;
  if (const auto owner = checkOwner(kVolumeSnapshots, image.meta, pass.object); !owner) return outcomeOf(owner.error());
  if (image.meta.deletionTimestamp) return Wait{"an image of the same name is being deleted"};
  return awaitReady(pass, image);
}

// What had arrived went with its volume: an image of the one that takes its place would be an image of nothing.
Outcome startOver(Pass& pass) {
  if (!pass.world.job) return Failure{"PersistentVolumeClaim " + dataVolume(pass.object) + " is gone"};
  const auto gone = drop(pass, pass.doors.views.jobs, kube::resources::kJobs, pass.world.job->meta);
  return gone.ok() ? Outcome(Wait{"the volume that had received the data is gone"}) : outcomeOf(gone.error());
}

}  // namespace

std::string imageInTheMaking(const api::Replication& object, const api::Pvc& volume) {
  auto name = volume.meta.annotation(api::kSnapNameAnnotation);
  const auto& status = object.status;
  if (name.empty() || (status.latestImage && status.latestImage->name == name)) return {};
  const auto at = instantOfImage(volume.meta.name, name);
  const bool before = at && status.lastSyncStartTime && *at < *status.lastSyncStartTime;
  return before ? std::string() : name;
}

Outcome stepImage(Pass& pass) {
  if (pass.object.role == api::Role::Source) return Done{};
  const auto volume = pass.world.data(pass.object);
  if (!volume) return startOver(pass);
  if (!pass.object.spec.rsync->direct()) return snapshotImage(pass, *volume);
  pass.object.status.latestImage = {"", "PersistentVolumeClaim", volume->meta.name};
  return Done{};
}

}  // namespace godwit::replication
