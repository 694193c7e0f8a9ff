#include "standalone/classes.h"

#include "standalone/objects.h"

namespace godwit::standalone {

namespace {

Json classOf(const kube::ResourceType& type, const char* name, const char* defaultAnnotation) {
  Json out = {{"apiVersion", type.apiVersion()}, {"kind", type.kind}, {"metadata", {{"name", name}}}};
  if (defaultAnnotation) out["metadata"]["annotations"][defaultAnnotation] = "true";
  return out;
}

Json storageClass(const char* name, bool isDefault) {
  Json out = classOf(kube::resources::kStorageClasses, name,
                     isDefault ? "storageclass.kubernetes.io/is-default-class" : nullptr);
  out["provisioner"] = kDriver;
  out["reclaimPolicy"] = "Delete";
  out["volumeBindingMode"] = "Immediate";
  out["allowVolumeExpansion"] = true;
  return out;
}

Json snapshotClass(const char* name, bool isDefault) {
  Json out = classOf(kube::resources::kVolumeSnapshotClasses, name,
                     isDefault ? "snapshot.storage.kubernetes.io/is-default-class" : nullptr);
  out["driver"] = kDriver;
  out["deletionPolicy"] = "Delete";
  return out;
}

Result<void> ensure(kube::Api& api, const kube::ResourceType& type, const Json& object) {
  const auto created = api.create(type, object);
  if (created.ok() || created.is(Errc::AlreadyExists)) return {};
  return created.error();
}

}  // namespace

Result<void> seedClasses(kube::Api& api) {
  namespace r = kube::resources;
  GODWIT_TRY(ensure(api, r::kStorageClasses, storageClass("godwit", true)));
  GODWIT_TRY(ensure(api, r::kStorageClasses, storageClass("my-sc", false)));
  GODWIT_TRY(ensure(api, r::kVolumeSnapshotClasses, snapshotClass("godwit", true)));
  return ensure(api, r::kVolumeSnapshotClasses, snapshotClass("my-vsc", false));
}

}  // namespace godwit::standalone
