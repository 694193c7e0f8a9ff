#include "replication/cleanup.h"

#include "api/names.h"
#include "replication/act.h"

namespace godwit::replication {

namespace {

using kube::resources::kJobs;
using kube::resources::kPersistentVolumeClaims;
using kube::resources::kVolumeSnapshots;

bool ofIteration(const Pass& pass, const api::ObjectMeta& meta) {
  return ownedBy(meta, pass.object.meta) && meta.label(api::kCleanupLabel) == pass.object.meta.uid;
}

// Of the object's own children those that `which` names.
template <class T, class Which>
Result<void> dropWhere(Pass& pass, View<T>& view, const kube::ResourceType& type, Which which) {
  for (const auto& item : view.indexed(pass.object.meta.ns, pass.object.meta.uid)) {
    if (which(item->meta)) GODWIT_TRY(drop(pass, view, type, item->meta));
  }
  return {};
}

bool replaced(const Pass& pass, const api::ObjectMeta& snapshot) {
  const auto& latest = pass.object.status.latestImage;
  return pass.object.role == api::Role::Destination && ownedBy(snapshot, pass.object.meta) && latest &&
         !(latest->kind == "VolumeSnapshot" && latest->name == snapshot.name);
}

// The next iteration chooses a new name.
Result<void> forgetImageName(Pass& pass) {
  const auto volume = pass.world.data(pass.object);
  if (pass.object.role != api::Role::Destination || !volume || volume->meta.deletionTimestamp) return {};
  if (!volume->meta.annotations.contains(api::kSnapNameAnnotation)) return {};
  GODWIT_TRY(pass.confirm());
  const Json change = {{"metadata", {{"annotations", {{api::kSnapNameAnnotation, nullptr}}}}}};
  const auto stored = patch(pass, pass.doors.views.pvcs, kPersistentVolumeClaims, volume->meta.key(), change);
  return stored.ok() || stored.is(Errc::NotFound) ? Result<void>() : stored.error();
}

// The volume is the image itself: under Direct, and after it, until a snapshot has been published.
bool isImage(const Pass& pass) {
  const auto& latest = pass.object.status.latestImage;
  return latest && latest->kind == "PersistentVolumeClaim" && latest->name == dataVolume(pass.object);
}

bool temporary(const Pass& pass) {
  const auto& spec = pass.object.spec;
  return pass.object.role == api::Role::Destination && spec.rsync && spec.rsync->cleanupTempPVC &&
         usesOwnVolume(pass.object) && !spec.rsync->direct() && !isImage(pass);
}

Result<void> sweep(Pass& pass) {
  auto& views = pass.doors.views;
  const auto mine = [&](const api::ObjectMeta& meta) { return ofIteration(pass, meta); };
  GODWIT_TRY(dropWhere(pass, views.jobs, kJobs, mine));
  GODWIT_TRY(dropWhere(pass, views.pvcs, kPersistentVolumeClaims, mine));
  if (temporary(pass)) {
    const auto made = pass.world.made;
    if (made && ownedBy(made->meta, pass.object.meta)) {
      GODWIT_TRY(drop(pass, views.pvcs, kPersistentVolumeClaims, made->meta));
    }
  } else {
    GODWIT_TRY(forgetImageName(pass));
  }
  return dropWhere(pass, views.snapshots, kVolumeSnapshots,
                   [&](const api::ObjectMeta& meta) { return ofIteration(pass, meta) || replaced(pass, meta); });
}

}  // namespace

Result<void> letGoOfKeptImage(Pass& pass) {
  const auto& latest = pass.object.status.latestImage;
  if (pass.object.role != api::Role::Destination || !latest || latest->kind != "VolumeSnapshot") return {};
  auto& view = pass.doors.views.snapshots;
  const auto image = view.get({pass.object.meta.ns, latest->name});
  if (!image || image->meta.deletionTimestamp || !ownedBy(image->meta, pass.object.meta)) return {};
  if (!image->meta.labels.contains(api::kDoNotDeleteLabel)) return {};
  return letGo(pass, view, kVolumeSnapshots, image->meta);
}

Outcome cleanUp(Pass& pass) {
  if (pass.object.meta.annotations.contains(api::kDebugMoverAnnotation) && pass.world.job) {
    pass.note =
        fmt::format("the mover is kept for debugging; remove annotation {} to go on", api::kDebugMoverAnnotation);
    return Wait{pass.note};
  }
  const auto swept = sweep(pass);
  if (!swept) return outcomeOf(swept.error());
  return Done{};
}

}  // namespace godwit::replication
