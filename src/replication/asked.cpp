#include "replication/asked.h"

#include <fmt/ranges.h>

#include "replication/act.h"

namespace godwit::replication {

std::string askedVolume(const api::Replication& object) {
  const auto& rsync = *object.spec.rsync;
  return fmt::format("{} {} {}", rsync.storageClassName.value_or("-"), fmt::join(rsync.accessModes, ","),
                     rsync.capacity.value_or("-"));
}

std::string askedSnapshot(const api::Replication& object) {
  return object.spec.rsync->volumeSnapshotClassName.value_or("-");
}

bool askedOtherwise(const api::ObjectMeta& made, const std::string& asked) {
  const auto was = made.annotation(kAskedAnnotation);
  return !was.empty() && was != asked;
}

Outcome makeSnapshotAnew(Pass& pass, const api::VolumeSnapshot& snapshot) {
  const auto gone = drop(pass, pass.doors.views.snapshots, kube::resources::kVolumeSnapshots, snapshot.meta);
  if (!gone) return outcomeOf(gone.error());
  return Wait{"VolumeSnapshot " + snapshot.meta.name + " was not made as the spec says now"};
}

}  // namespace godwit::replication
