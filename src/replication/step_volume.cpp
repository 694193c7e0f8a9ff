// The volume an iteration works on: the user's own, a point-in-time copy of it, or one provisioned to receive.
#include "api/names.h"
#include "replication/act.h"
#include "replication/asked.h"
#include "replication/plan.h"

namespace godwit::replication {

namespace {

using kube::EventType;
using kube::resources::kPersistentVolumeClaims;
using kube::resources::kVolumeSnapshots;
constexpr Duration kSnapshotPatience = std::chrono::seconds(30);
constexpr Duration kVolumePatience = std::chrono::minutes(2);

// True: the snapshot that the volume is to be filled from is gone, because somebody removed it or a late watch had
// shown one that was. The volume will never be bound.
Result<bool> lacksItsSnapshot(Pass& pass, const api::Pvc& made) {
  if (made.snapshot.empty() || made.phase == "Bound") return false;
  auto& view = pass.doors.views.snapshots;
  const api::NamespacedName key{made.meta.ns, made.snapshot};
  if (view.get(key)) return false;
  const auto stored = pass.doors.api.get(kVolumeSnapshots, key);
  if (stored.ok()) view.wrote(*stored);
  if (!stored && !stored.is(Errc::NotFound)) return stored.error();
  return !stored.ok();
}

// Why a claim that is not bound never will be, or not as the spec says now; "" when it is to be waited for.
Result<std::string> hopeless(Pass& pass, const api::Pvc& made) {
  GODWIT_ASSIGN(const bool lacks, lacksItsSnapshot(pass, made));
  if (lacks) return std::string("was to be filled from a snapshot that is gone");
  return std::string(askedOtherwise(made.meta, askedVolume(pass.object)) ? "was not made as the spec says now" : "");
}

Outcome checkMade(Pass& pass);

// It goes, and the iteration makes another. Never one that has been bound meanwhile: that may hold data.
Outcome makeAnew(Pass& pass, const api::Pvc& made, const std::string& why) {
  auto& views = pass.doors.views;
  const auto stored = pass.doors.api.get(kPersistentVolumeClaims, made.meta.key());
  if (!stored && !stored.is(Errc::NotFound)) return outcomeOf(stored.error());
  const auto current = stored.ok() ? views.pvcs.wrote(*stored) : nullptr;
  if (current && current->phase == "Bound") {
    pass.world.made = current;
    return checkMade(pass);
  }
  if (const auto& job = pass.world.job; job && job->dataClaim == made.meta.name) {
    if (const auto gone = drop(pass, views.jobs, kube::resources::kJobs, job->meta); !gone)
      return outcomeOf(gone.error());
  }
  const auto gone = drop(pass, views.pvcs, kPersistentVolumeClaims, made.meta,
                         current ? current->meta.resourceVersion : std::string());
  if (!gone) return outcomeOf(gone.error());
  return Wait{"volume " + made.meta.name + " " + why};
}

// A volume of ours that exists. It may still be pending: a mover's pod waits for it by itself.
Outcome checkMade(Pass& pass) {
  const auto& made = *pass.world.made;
  if (const auto owner = checkOwner(kPersistentVolumeClaims, made.meta, pass.object); !owner) {
    return Failure{owner.error().message +
                   (pass.object.role == api::Role::Destination ? ", or use it with spec.rsync.destinationPVC" : "")};
  }
  if (made.meta.deletionTimestamp) return Wait{"the previous volume " + made.meta.name + " is being deleted"};
  if (made.phase == "Lost") return Failure{"PersistentVolumeClaim " + made.meta.name + " has lost its volume"};
  if (made.phase != "Bound") {
    const auto why = hopeless(pass, made);
    if (!why) return outcomeOf(why.error());
    if (!why->empty()) return makeAnew(pass, made, *why);
    warnAfter(pass, made.meta, kVolumePatience, "PersistentVolumeClaimNotBound",
              "waiting for PersistentVolumeClaim " + made.meta.name + " to bind; check capacity and storage class");
    return Done{};
  }
  if (const auto told = completeCopyTrigger(pass, made.meta); !told) return outcomeOf(told.error());
  return Done{};
}

Outcome makeVolume(Pass& pass, const Json& wanted) {
  auto made = create(pass, pass.doors.views.pvcs, kPersistentVolumeClaims, wanted);
  if (!made) return outcomeOf(made.error());
  if (made->created) {
    pass.tell(EventType::Normal, "PersistentVolumeClaimCreated",
              fmt::format("created PersistentVolumeClaim {}", made->object->meta.name));
  }
  pass.world.made = made->object;
  return checkMade(pass);
}

// Done: the snapshot the point-in-time volume comes from is ready.
Outcome takeSnapshot(Pass& pass) {
  if (!pass.world.copy) {
    if (auto gate = awaitCopyTrigger(pass); !std::holds_alternative<Done>(gate)) return gate;
    auto made = create(pass, pass.doors.views.snapshots, kVolumeSnapshots, planCopySnapshot(pass.object, pass.world));
    if (!made) return outcomeOf(made.error());
    if (made->created) {
      pass.tell(EventType::Normal, "VolumeSnapshotCreated", "created VolumeSnapshot " + made->object->meta.name);
    }
    pass.world.copy = made->object;
  }
  const auto& copy = *pass.world.copy;
  if (const auto owner = checkOwner(kVolumeSnapshots, copy.meta, pass.object); !owner) return outcomeOf(owner.error());
  if (copy.meta.deletionTimestamp) return Wait{"the previous snapshot is being deleted"};
  if (!copy.readyToUse) {
    if (askedOtherwise(copy.meta, askedSnapshot(pass.object))) return makeSnapshotAnew(pass, copy);
    if (!copy.error.empty()) pass.note = "VolumeSnapshot " + copy.meta.name + ": " + copy.error;
    warnAfter(pass, copy.meta, kSnapshotPatience, "VolumeSnapshotNotBound",
              "waiting for VolumeSnapshot " + copy.meta.name + "; check the VolumeSnapshotClass and its driver");
    return Wait{"snapshot of the source is not ready"};
  }
  if (const auto told = completeCopyTrigger(pass, copy.meta); !told) return outcomeOf(told.error());
  return Done{};
}

Failure missing(const char* field, const std::string& name) {
  return Failure{fmt::format("{}: PersistentVolumeClaim {} not found; create it or correct the name", field, name)};
}

// Somebody removed the volume before the mover's pod could hold on to it, or a late watch showed one that was gone.
Outcome withoutVolume(Pass& pass) {
  auto& views = pass.doors.views;
  const auto& job = *pass.world.job;
  const auto stored = pass.doors.api.get(kPersistentVolumeClaims, {job.meta.ns, job.dataClaim});
  if (stored.ok()) {
    pass.world.made = views.pvcs.wrote(*stored);
    return checkMade(pass);
  }
  if (!stored.is(Errc::NotFound)) return outcomeOf(stored.error());
  const auto gone = drop(pass, views.jobs, kube::resources::kJobs, job.meta);
  return gone.ok() ? Outcome(Wait{"the mover waits for a volume that is gone"}) : outcomeOf(gone.error());
}

// Its volume is chosen: what the spec says now is for the next iteration.
Outcome whileMoverRuns(Pass& pass) {
  const auto& job = *pass.world.job;
  if (job.dataClaim != api::volumeName(pass.object.role, pass.object.meta.name)) return Done{};
  if (pass.world.made) return checkMade(pass);
  const bool waits =
      !job.complete && !job.failedForGood && !job.meta.deletionTimestamp && ownedBy(job.meta, pass.object.meta);
  return waits ? withoutVolume(pass) : Outcome(Done{});
}

Outcome sourceVolume(Pass& pass) {
  const auto& object = pass.object;
  if (pass.world.job) return whileMoverRuns(pass);
  if (!object.spec.rsync->address) return Done{};  // nobody to send to: nothing is copied
  if (!pass.world.given) return missing("spec.sourcePVC", object.spec.sourcePVC);
  if (pass.world.given->phase == "Lost")
    return Failure{"spec.sourcePVC: " + object.spec.sourcePVC + " has lost its volume"};
  if (!usesOwnVolume(object)) return Done{};
  if (pass.world.made) return checkMade(pass);
  if (object.spec.paused) return Done{};
  const bool bySnapshot = object.spec.rsync->copyMethod == "Snapshot";
  auto ready = bySnapshot ? takeSnapshot(pass) : awaitCopyTrigger(pass);
  if (!std::holds_alternative<Done>(ready)) return ready;
  return makeVolume(pass, bySnapshot ? planRestore(object, pass.world) : planClone(object, pass.world));
}

Outcome destinationVolume(Pass& pass) {
  if (pass.world.job) return whileMoverRuns(pass);
  if (usesOwnVolume(pass.object)) {
    return pass.world.made ? checkMade(pass) : makeVolume(pass, planDestinationVolume(pass.object));
  }
  if (!pass.world.given) return missing("spec.rsync.destinationPVC", *pass.object.spec.rsync->destinationPVC);
  return Done{};
}

}  // namespace

Outcome stepVolume(Pass& pass) {
  return pass.object.role == api::Role::Source ? sourceVolume(pass) : destinationVolume(pass);
}

}  // namespace godwit::replication
