#include "replication/populator.h"

#include "api/names.h"
#include "base/log.h"
#include "replication/act.h"
#include "replication/plan.h"

namespace godwit::replication {

namespace {

using kube::EventType;
namespace kinds = kube::resources;

constexpr Duration kPatience = std::chrono::minutes(2);
constexpr const char* kDefaultClassAnnotation = "storageclass.kubernetes.io/is-default-class";

class Population {
 public:
  Population(Doors& doors, View<api::Pvc>::Ptr claim)
      : doors_(doors),
        views_(doors.views),
        claim_(std::move(claim)),
        prime_(views_.pvcs.get({claim_->meta.ns, populationName(*claim_)})) {}

  Next run() {
    if (prime_ && !ownedBy(prime_->meta, claim_->meta)) prime_ = nullptr;  // nobody else knows the uid; still not ours
    if (claim_->phase == "Bound") return finish();
    if (!prime_) return begin();
    if (prime_->meta.deletionTimestamp) return {};
    return prime_->volumeName.empty() || prime_->phase == "Pending" ? await() : handOver();
  }

 private:
  void tell(EventType type, const char* reason, const std::string& message) {
    const auto& meta = claim_->meta;
    doors_.recorder.event({"v1", "PersistentVolumeClaim", meta.ns, meta.name, meta.uid, meta.resourceVersion}, type,
                          reason, message);
  }
  Next fail(const char* reason, const std::string& message) {
    log::warn("replication", "claim {}: {}", claim_->meta.key().str(), message);
    tell(EventType::Warning, reason, message);
    return {.backOff = true};
  }

  Next begin() {
    const auto destination = views_.destinations.get({claim_->meta.ns, claim_->filledFrom});
    if (!destination) {
      tell(EventType::Warning, "VolSyncPopulatorReplicationDestinationMissing",
           fmt::format("spec.dataSourceRef: ReplicationDestination {} not found; create it or correct the name",
                       claim_->filledFrom));
      return {};
    }
    const auto& image = destination->status.latestImage;
    if (!image || image->name.empty()) {
      tell(EventType::Normal, "VolSyncPopulatorReplicationDestinationNoLatestImage",
           fmt::format("waiting for ReplicationDestination {} to have a first image", claim_->filledFrom));
      return {};
    }
    const auto there = exists(image->kind, image->name);
    if (!there) return fail("VolSyncPopulatorPVCCreationError", there.error().message);
    if (!*there) {
      tell(EventType::Warning, "VolSyncPopulatorImageMissing",
           fmt::format("{} {}, the latest image of ReplicationDestination {}, is gone; waiting for the next one",
                       image->kind, image->name, claim_->filledFrom));
      return {};
    }
    const auto wait = waitsForConsumer();
    if (!wait) return fail("VolSyncPopulatorPVCCreationError", wait.error().message);
    return *wait ? Next{} : provision(*image);
  }

  // By the server's word where the watch shows no image: it is late, or somebody took the labels away.
  Result<bool> exists(const std::string& kind, const std::string& name) {
    const api::NamespacedName key{claim_->meta.ns, name};
    const bool snapshot = kind == "VolumeSnapshot";
    if (snapshot ? views_.snapshots.get(key) != nullptr : views_.pvcs.get(key) != nullptr) return true;
    const auto stored = doors_.api.get(snapshot ? kinds::kVolumeSnapshots : kinds::kPersistentVolumeClaims, key);
    if (stored.is(Errc::NotFound)) return false;
    if (!stored) return stored.error();
    snapshot ? (void)views_.snapshots.wrote(*stored) : (void)views_.pvcs.wrote(*stored);
    return true;
  }

  // WaitForFirstConsumer: the scheduler says by annotation where the volume has to be.
  Result<bool> waitsForConsumer() {
    if (!claim_->meta.annotation(kSelectedNodeAnnotation).empty()) return false;
    GODWIT_ASSIGN(const auto storageClass, classOfClaim());
    return text(storageClass, "volumeBindingMode") == "WaitForFirstConsumer";
  }
  Result<Json> classOfClaim() {
    const auto& name = claim_->storageClassName;
    if (!name.empty()) {
      auto found = doors_.api.get(kinds::kStorageClasses, {"", name});
      if (!found.is(Errc::NotFound)) return found;
      return Error{Errc::NotFound, fmt::format("spec.storageClassName: StorageClass {} not found", name)};
    }
    GODWIT_ASSIGN(const auto classes, doors_.api.list(kinds::kStorageClasses, {}));
    for (const auto& each : classes.items) {
      if (text(each, "metadata", "annotations", kDefaultClassAnnotation) == "true") return each;
    }
    return Error{Errc::NotFound, "spec.storageClassName: missing, and there is no default StorageClass"};
  }

  std::string sizeOf(const api::ImageReference& image) const {
    const api::NamespacedName key{claim_->meta.ns, image.name};
    if (image.kind == "VolumeSnapshot") {
      const auto snapshot = views_.snapshots.get(key);
      return snapshot ? snapshot->restoreSize : "";
    }
    const auto volume = views_.pvcs.get(key);
    return volume ? volume->capacity : "";
  }

  Next provision(const api::ImageReference& image) {
    const Json wanted = planPopulation(*claim_, image, sizeOf(image));
    auto stored = doors_.api.create(kinds::kPersistentVolumeClaims, wanted);
    const bool created = stored.ok();
    if (stored.is(Errc::AlreadyExists)) stored = doors_.api.get(kinds::kPersistentVolumeClaims, kube::keyOf(wanted));
    if (!stored) return fail("VolSyncPopulatorPVCCreationError", stored.error().message);
    prime_ = views_.pvcs.wrote(*stored);
    if (created) {
      tell(EventType::Normal, "VolSyncPopulatorPVCCreated",
           fmt::format("created PersistentVolumeClaim {} from {} {}", prime_->meta.name, image.kind, image.name));
    }
    return {};
  }

  // What may keep the intermediate claim from ever being bound: its image went, or its node has no room.
  Next await() {
    const bool moved = !claim_->meta.annotation(kSelectedNodeAnnotation).empty() &&
                       prime_->meta.annotation(kSelectedNodeAnnotation).empty();
    if (moved) return reschedule();
    const auto image = prime_->meta.annotation(kImageAnnotation);
    if (image.empty()) return {};
    const auto there = exists(prime_->snapshot.empty() ? "PersistentVolumeClaim" : "VolumeSnapshot", image);
    if (!there) return again(there.error());
    return *there ? bePatient(image) : dropPrime(Next{.backOff = true});
  }

  Next bePatient(const std::string& image) {
    const auto now = doors_.clock.now();
    const auto deadline = views_.waits.since(prime_->meta.uid, now) + kPatience;
    if (now < deadline) return {.wakeAt = deadline};
    tell(EventType::Warning, "VolSyncPopulatorPVCNotBound",
         fmt::format("PersistentVolumeClaim {}, which is made from image {}, is not bound yet; its events tell why",
                     prime_->meta.name, image));
    return {};
  }

  // The provisioner gave the node up by taking its name from our claim: the scheduler has to choose again.
  Next reschedule() {
    const Json change = {{"metadata", {{"annotations", {{kSelectedNodeAnnotation, nullptr}}}}}};
    const auto stored = doors_.api.patch(kinds::kPersistentVolumeClaims, claim_->meta.key(), change);
    if (!stored && !stored.is(Errc::NotFound)) return {.backOff = true};
    if (stored.ok()) views_.pvcs.wrote(*stored);
    return dropPrime({});
  }

  // The volume's claimRef decides whose it is; the cluster's own controller then binds the user's claim to it.
  Next handOver() {
    const auto volume = doors_.api.get(kinds::kPersistentVolumes, {"", prime_->volumeName});
    if (volume.is(Errc::NotFound)) return dropPrime({.again = true});
    if (!volume) return again(volume.error());
    const auto holder = text(*volume, "spec", "claimRef", "uid");
    if (holder == claim_->meta.uid) return {};
    if (holder != prime_->meta.uid) {
      return fail("VolSyncPopulatorError",
                  fmt::format("PersistentVolume {} belongs to another claim", prime_->volumeName));
    }
    const Json change = {{"metadata", {{"resourceVersion", text(*volume, "metadata", "resourceVersion")}}},
                         {"spec",
                          {{"claimRef",
                            {{"apiVersion", "v1"},
                             {"kind", "PersistentVolumeClaim"},
                             {"namespace", claim_->meta.ns},
                             {"name", claim_->meta.name},
                             {"uid", claim_->meta.uid},
                             {"resourceVersion", claim_->meta.resourceVersion}}}}}};
    const auto stored = doors_.api.patch(kinds::kPersistentVolumes, {"", prime_->volumeName}, change);
    if (stored.ok() || stored.is(Errc::Conflict)) return Next{.backOff = !stored.ok()};
    return fail("VolSyncPopulatorError", stored.error().message);
  }

  Next finish() {
    if (!prime_ || prime_->meta.deletionTimestamp) return {};
    // Bound to our volume or, by the user, to another one: either way the intermediate claim has served.
    if (const auto gone = removePrime(); !gone) return again(gone.error());
    std::string message = fmt::format("filled from image {} of ReplicationDestination {}",
                                      prime_->meta.annotation(kImageAnnotation), claim_->filledFrom);
    if (prime_->meta.annotation(kPointInTimeAnnotation) == "false")
      message += "; not point-in-time: files changed while they were copied";
    tell(EventType::Normal, "VolSyncPopulatorFinished", message);
    return {};
  }

  Result<void> removePrime() { return remove(doors_.api, views_.pvcs, kinds::kPersistentVolumeClaims, prime_->meta); }
  Next dropPrime(Next then) {
    const auto gone = removePrime();
    return gone ? then : again(gone.error());
  }
  // Most of it passes; a right that is missing is worth a word.
  Next again(const Error& error) {
    return error.code == Errc::Forbidden ? fail("VolSyncPopulatorError", error.message) : Next{.backOff = true};
  }

  Doors& doors_;
  Views& views_;
  const View<api::Pvc>::Ptr claim_;
  View<api::Pvc>::Ptr prime_;
};

}  // namespace

Next populate(Doors& doors, const api::NamespacedName& key) {
  auto claim = doors.views.pvcs.get(key);
  // A claim that goes takes the intermediate one with it: it owns it.
  if (!claim || claim->filledFrom.empty() || claim->meta.deletionTimestamp) return {};
  return Population(doors, std::move(claim)).run();
}

Result<bool> registerPopulator(kube::Api& api) {
  const Json wanted = {{"apiVersion", kinds::kVolumePopulators.apiVersion()},
                       {"kind", std::string(kinds::kVolumePopulators.kind)},
                       {"metadata", {{"name", "volsync-replicationdestination"}}},
                       {"sourceKind", {{"group", api::kGroup}, {"kind", api::kindOf(api::Role::Destination)}}}};
  const auto made = api.create(kinds::kVolumePopulators, wanted);
  if (made.is(Errc::NotFound) || made.is(Errc::Unsupported)) return false;
  return made.ok() || made.is(Errc::AlreadyExists) ? Result<bool>(true) : made.error();
}

}  // namespace godwit::replication
