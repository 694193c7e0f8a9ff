// Point-in-time volumes, provisioned volumes and images.
#include "api/names.h"
#include "api/quantity.h"
#include "replication/asked.h"
#include "replication/plan.h"

namespace godwit::replication {

namespace {

using kube::resources::kPersistentVolumeClaims;
using kube::resources::kVolumeSnapshots;

constexpr const char* kSnapshotGroup = "snapshot.storage.k8s.io";

// The larger of two quantities; one that does not parse loses.
std::string larger(const std::string& a, const std::string& b) {
  const auto x = api::parseBytes(a), y = api::parseBytes(b);
  if (!y) return a;
  return x && *x >= *y ? a : b;
}

// What the iteration was started for stays with the copy: a trigger that changes meanwhile asks for another one.
void rememberTriggers(const api::Replication& object, const World& world, Json& copy) {
  Json& annotations = copy["metadata"]["annotations"];
  annotations[kForManualAnnotation] = manualTrigger(object);
  if (world.given->meta.annotations.contains(copy_trigger::kUse)) {
    annotations[kForCopyTriggerAnnotation] = world.given->meta.annotation(copy_trigger::kTrigger);
  }
}

void rememberAsked(Json& made, const std::string& asked) {
  made["metadata"]["annotations"][kAskedAnnotation] = asked;
}

Json pointInTimeVolume(const api::Replication& object, const World& world, const std::string& capacity) {
  const auto& rsync = *object.spec.rsync;
  const auto& from = *world.given;
  Json out = childOfIteration(object, kPersistentVolumeClaims, api::volumeName(object.role, object.meta.name));
  Json& spec = out["spec"];
  spec["accessModes"] = rsync.accessModes.empty() ? from.accessModes : rsync.accessModes;
  spec["resources"]["requests"]["storage"] = rsync.capacity.value_or(capacity);
  spec["volumeMode"] = from.volumeMode;
  if (rsync.storageClassName) {
    spec["storageClassName"] = *rsync.storageClassName;
  } else if (!from.storageClassName.empty()) {  // "" binds existing volumes only: the copy is made by the default class
    spec["storageClassName"] = from.storageClassName;
  }
  rememberAsked(out, askedVolume(object));
  return out;
}

std::string capacityOf(const api::Pvc& pvc) {
  return larger(pvc.requested, pvc.capacity);
}

}  // namespace

Json planClone(const api::Replication& object, const World& world) {
  Json out = pointInTimeVolume(object, world, capacityOf(*world.given));
  out["spec"]["dataSource"] = {{"kind", "PersistentVolumeClaim"}, {"name", world.given->meta.name}};
  rememberTriggers(object, world, out);
  return out;
}

Json planCopySnapshot(const api::Replication& object, const World& world) {
  Json out = childOfIteration(object, kVolumeSnapshots, api::volumeName(object.role, object.meta.name));
  out["spec"]["source"]["persistentVolumeClaimName"] = world.given->meta.name;
  if (object.spec.rsync->volumeSnapshotClassName) {
    out["spec"]["volumeSnapshotClassName"] = *object.spec.rsync->volumeSnapshotClassName;
  }
  rememberTriggers(object, world, out);
  rememberAsked(out, askedSnapshot(object));
  return out;
}

Json planRestore(const api::Replication& object, const World& world) {
  Json out = pointInTimeVolume(object, world, larger(capacityOf(*world.given), world.copy->restoreSize));
  out["spec"]["dataSource"] = {
      {"apiGroup", kSnapshotGroup}, {"kind", "VolumeSnapshot"}, {"name", world.copy->meta.name}};
  for (const char* key : {kForManualAnnotation, kForCopyTriggerAnnotation}) {
    const auto it = world.copy->meta.annotations.find(key);
    if (it != world.copy->meta.annotations.end()) out["metadata"]["annotations"][key] = it->second;
  }
  return out;
}

Json planDestinationVolume(const api::Replication& object) {
  const auto& rsync = *object.spec.rsync;
  Json out = child(object, kPersistentVolumeClaims, api::volumeName(object.role, object.meta.name));
  Json& spec = out["spec"];
  spec["accessModes"] = rsync.accessModes;
  spec["resources"]["requests"]["storage"] = rsync.capacity.value_or("");
  spec["volumeMode"] = rsync.volumeMode.value_or("Filesystem");
  if (rsync.storageClassName) spec["storageClassName"] = *rsync.storageClassName;
  rememberAsked(out, askedVolume(object));
  return out;
}

Json planImage(const api::Replication& object, const std::string& pvc, const std::string& name) {
  Json out = child(object, kVolumeSnapshots, name);
  out["metadata"]["annotations"][kForManualAnnotation] = manualTrigger(object);  // a later value asks for later data
  out["spec"]["source"]["persistentVolumeClaimName"] = pvc;
  if (object.spec.rsync->volumeSnapshotClassName) {
    out["spec"]["volumeSnapshotClassName"] = *object.spec.rsync->volumeSnapshotClassName;
  }
  rememberAsked(out, askedSnapshot(object));
  return out;
}

std::string populationName(const api::Pvc& claim) {
  return "volsync-vp-" + claim.meta.uid;
}

Json planPopulation(const api::Pvc& claim, const api::ImageReference& image, const std::string& imageSize) {
  Json metadata = {{"name", populationName(claim)},
                   {"namespace", claim.meta.ns},
                   {"labels", {{api::kCreatedByLabel, api::kCreatedByValue}}},
                   {"annotations", {{kImageAnnotation, image.name}}},
                   {"ownerReferences", Json::array({{{"apiVersion", "v1"},
                                                     {"kind", "PersistentVolumeClaim"},
                                                     {"name", claim.meta.name},
                                                     {"uid", claim.meta.uid},
                                                     {"controller", true}}})}};
  if (const auto node = claim.meta.annotation(kSelectedNodeAnnotation); !node.empty()) {
    metadata["annotations"][kSelectedNodeAnnotation] = node;
  }
  Json source = {{"kind", image.kind}, {"name", image.name}};
  if (!image.apiGroup.empty()) source["apiGroup"] = image.apiGroup;
  Json spec = {{"accessModes", claim.accessModes},
               {"volumeMode", claim.volumeMode},
               {"resources", {{"requests", {{"storage", larger(claim.requested, imageSize)}}}}},
               {"dataSource", std::move(source)}};
  if (!claim.storageClassName.empty()) spec["storageClassName"] = claim.storageClassName;
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolumeClaim"},
          {"metadata", std::move(metadata)},
          {"spec", std::move(spec)}};
}

std::optional<TimePoint> instantOfImage(const std::string& pvc, const std::string& image) {
  if (image.size() < 15) return std::nullopt;
  const std::string digits = image.substr(image.size() - 14);
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) { return digits.substr(at, size); };
  const auto at = api::parseTime(
      fmt::format("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 2), part(6, 2), part(8, 2), part(10, 2), part(12, 2)));
  if (!at || api::imageName(pvc, *at) != image) return std::nullopt;
  return *at;
}

std::string nextImageName(const std::string& pvc, const std::string& previous, TimePoint now) {
  const auto last = instantOfImage(pvc, previous);
  if (!last || now >= *last + std::chrono::seconds(1)) return api::imageName(pvc, now);
  return api::imageName(pvc, *last + std::chrono::seconds(1));
}

}  // namespace godwit::replication
