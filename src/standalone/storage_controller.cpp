#include "standalone/storage_controller.h"

#include "standalone/objects.h"
#include "standalone/storage_rules.h"

namespace godwit::standalone {

namespace r = kube::resources;

bool StorageController::step() {
  bool any = false;
  for (const auto& pvc : cluster_.list(r::kPersistentVolumeClaims))
    any |= backoffs_.attempt(*pvc, [&] { return reconcileClaim(*pvc); });
  for (const auto& volume : cluster_.list(r::kPersistentVolumes))
    any |= backoffs_.attempt(*volume, [&] { return reconcileVolume(*volume); });
  return any;
}

Result<bool> StorageController::reconcileClaim(const Json& pvc) {
  if (isDeleting(pvc)) return releaseClaim(pvc);
  const auto phase = text(pvc, "status", "phase");
  // Made anew under its name, it is bound again.
  if (phase == "Lost" && !cluster_.get(r::kPersistentVolumes, {"", text(pvc, "spec", "volumeName")})) return false;
  if (phase == "Bound") {
    const auto volume = cluster_.get(r::kPersistentVolumes, {"", text(pvc, "spec", "volumeName")});
    if (volume) return false;
    GODWIT_ASSIGN(const auto current, cluster_.fresh(r::kPersistentVolumes, {"", text(pvc, "spec", "volumeName")}));
    if (current) return false;
    recorder_.event(referenceTo(pvc), kube::EventType::Warning, "ClaimLost",
                    "Bound claim has lost its PersistentVolume");
    return cluster_.patch(r::kPersistentVolumeClaims, pvc, {{"status", {{"phase", "Lost"}}}},
                          kube::Subresource::Status);
  }
  GODWIT_ASSIGN(const auto pending, advance(pvc));
  return pending ? explain(pvc, *pending) : Result<bool>(true);
}

StorageController::Outcome StorageController::advance(const Json& pvc) {
  if (const auto name = text(pvc, "spec", "volumeName"); !name.empty()) return bindNamed(pvc, name);
  if (const auto volume = volumeClaimedBy(pvc)) {
    return isPoolVolumeOf(*volume, pvc) ? fill(pvc, *volume) : bind(pvc, *volume, PointInTime::Yes);
  }
  const auto* className = find(pvc, "spec", "storageClassName");
  if (className && className->is_string() && className->get_ref<const std::string&>().empty()) return bindAny(pvc);
  return provision(pvc);
}

// Says once what is new; the condition keeps it readable for whoever waits for the claim.
Result<bool> StorageController::explain(const Json& pvc, const Pending& pending) {
  if (pending.reason.empty()) return false;
  const auto* before = conditionOf(pvc, "Bound");
  if (before && text(*before, "message") == pending.message) return false;
  recorder_.event(referenceTo(pvc), pending.warning ? kube::EventType::Warning : kube::EventType::Normal,
                  pending.reason, pending.message);
  const Json condition = {
      {"type", "Bound"}, {"status", "False"}, {"reason", pending.reason}, {"message", pending.message}};
  return cluster_.patch(
      r::kPersistentVolumeClaims, pvc,
      {{"status", {{"phase", "Pending"}, {"conditions", withCondition(pvc, condition, clock_.now())}}}},
      kube::Subresource::Status);
}

Object StorageController::volumeClaimedBy(const Json& pvc) const {
  for (const auto& volume : cluster_.list(r::kPersistentVolumes)) {
    if (claims(*volume, pvc) && !isDeleting(*volume)) return volume;
  }
  return nullptr;
}

Object StorageController::classOf(const Json& pvc) const {
  const auto name = text(pvc, "spec", "storageClassName");
  if (!name.empty()) return cluster_.get(r::kStorageClasses, {"", name});
  for (const auto& candidate : cluster_.list(r::kStorageClasses)) {
    if (annotation(*candidate, "storageclass.kubernetes.io/is-default-class") == "true") return candidate;
  }
  return nullptr;
}

StorageController::Outcome StorageController::bindNamed(const Json& pvc, const std::string& volumeName) {
  const auto volume = cluster_.get(r::kPersistentVolumes, {"", volumeName});
  if (!volume) return std::optional(Pending{"FailedBinding", fmt::format("volume \"{}\" not found", volumeName)});
  if (isPoolVolumeOf(*volume, pvc)) return fill(pvc, *volume);
  if (auto why = whyNotBindable(*volume, pvc, checkHostPaths_); !why.empty()) {
    return std::optional(Pending{"FailedBinding", std::move(why)});
  }
  return bind(pvc, *volume, PointInTime::Yes);
}

StorageController::Outcome StorageController::bindAny(const Json& pvc) {
  Object best;
  for (const auto& volume : cluster_.list(r::kPersistentVolumes)) {
    if (find(*volume, "spec", "claimRef") || isDeleting(*volume)) continue;
    if (!whyNotBindable(*volume, pvc, checkHostPaths_).empty()) continue;
    if (!best || capacityOf(*volume) < capacityOf(*best)) best = volume;
  }
  if (best) return bind(pvc, *best, PointInTime::Yes);
  return std::optional(
      Pending{"FailedBinding", "no persistent volumes available for this claim and no storage class is set", false});
}

StorageController::Outcome StorageController::provision(const Json& pvc) {
  const auto storageClass = classOf(pvc);
  if (!storageClass) {
    const auto name = text(pvc, "spec", "storageClassName");
    if (name.empty())
      return std::optional(Pending{"FailedBinding", "no storage class is set and there is no default one", false});
    return std::optional(
        Pending{"ProvisioningFailed", fmt::format("storageclass.storage.k8s.io \"{}\" not found", name)});
  }
  if (const auto provisioner = text(*storageClass, "provisioner"); provisioner != kDriver) {
    return std::optional(Pending{
        "ExternalProvisioning",
        fmt::format("waiting for a volume to be created by the external provisioner \"{}\"", provisioner), false});
  }
  if (text(*storageClass, "volumeBindingMode") == "WaitForFirstConsumer" &&
      annotation(pvc, "volume.kubernetes.io/selected-node").empty()) {
    return std::optional(
        Pending{"WaitForFirstConsumer", "waiting for first consumer to be created before binding", false});
  }
  if (filledByOthers(pvc)) return std::optional(Pending{"", ""});
  if (text(pvc, "spec", "volumeMode") == "Block") {
    return std::optional(Pending{"ProvisioningFailed",
                                 "spec.volumeMode: this pool makes file systems, not block devices; use Filesystem"});
  }
  // A source that is missing or not ready holds back the volume object as well.
  GODWIT_ASSIGN(const auto task, taskFor(pvc, poolHandle(pvc)));
  if (const auto* pending = std::get_if<Pending>(&task)) return std::optional(*pending);
  // The object first: it is what a later life finds, to go on or to clean up.
  GODWIT_ASSIGN(const auto current, cluster_.fresh(r::kPersistentVolumeClaims, kube::keyOf(pvc)));
  if (!current || uidOf(*current) != uidOf(pvc) || isDeleting(*current)) return std::optional(Pending{"", ""});
  auto created =
      cluster_.create(r::kPersistentVolumes, poolVolume(pvc, *storageClass, volumes_.volumePath(poolHandle(pvc))));
  if (created.is(Errc::AlreadyExists)) return std::optional(Pending{"", ""});  // ours, and the watch will bring it
  if (!created.ok()) return std::move(created.error());
  return fill(pvc, *created);
}

Result<std::variant<Work::Task, StorageController::Pending>> StorageController::taskFor(const Json& pvc,
                                                                                        const std::string& handle) {
  using Out = std::variant<Work::Task, Pending>;
  const auto source = dataSourceOf(pvc);
  const auto ns = text(pvc, "metadata", "namespace");
  if (source.kind.empty()) {
    const auto bytes = requestedBytes(pvc);
    return Out(Work::Task([this, handle, bytes]() -> Result<PointInTime> {
      GODWIT_TRY(volumes_.createVolume(handle, bytes));
      return PointInTime::Yes;
    }));
  }
  if (source.kind == "PersistentVolumeClaim") {
    const auto from = cluster_.get(r::kPersistentVolumeClaims, {ns, source.name});
    if (!from)
      return Out(Pending{"ProvisioningFailed",
                         fmt::format("dataSource: persistentvolumeclaim \"{}\" not found", source.name)});
    const auto path = claimPath(cluster_, *from);
    if (!path)
      return Out(Pending{
          "ProvisioningFailed",
          fmt::format("dataSource: persistentvolumeclaim \"{}\" is not bound yet{}", source.name, becauseOf(*from))});
    return Out(Work::Task([this, handle, path = *path] { return volumes_.cloneVolume(handle, path); }));
  }
  const auto snapshot = cluster_.get(r::kVolumeSnapshots, {ns, source.name});
  if (!snapshot)
    return Out(Pending{"ProvisioningFailed", fmt::format("dataSource: volumesnapshot \"{}\" not found", source.name)});
  const auto content =
      cluster_.get(r::kVolumeSnapshotContents, {"", text(*snapshot, "status", "boundVolumeSnapshotContentName")});
  if (!truth(*snapshot, "status", "readyToUse") || !content) {
    return Out(Pending{"ProvisioningFailed",
                       fmt::format("dataSource: volumesnapshot \"{}\" is not ready to use yet", source.name)});
  }
  const bool torn = annotation(*snapshot, kPointInTimeAnnotation) == "false";
  return Out(
      Work::Task([this, handle, torn, from = text(*content, "status", "snapshotHandle")]() -> Result<PointInTime> {
        GODWIT_TRY(volumes_.restoreVolume(handle, from));
        return torn ? PointInTime::No : PointInTime::Yes;
      }));
}

StorageController::Outcome StorageController::fill(const Json& pvc, const Json& volume) {
  const auto handle = poolHandle(pvc);
  GODWIT_ASSIGN(auto task, taskFor(pvc, handle));
  if (const auto* pending = std::get_if<Pending>(&task)) return std::optional(*pending);
  auto done = work_.ask(handle, std::get<Work::Task>(std::move(task)));
  if (!done) return std::optional(Pending{"", ""});
  if (!done->ok()) {
    GODWIT_TRY(explain(pvc, {"ProvisioningFailed", done->error().message}));
    return std::move(done->error());
  }
  recorder_.event(referenceTo(pvc), kube::EventType::Normal, "ProvisioningSucceeded",
                  "Successfully provisioned volume " + text(volume, "metadata", "name"));
  return bind(pvc, volume, **done);
}

StorageController::Outcome StorageController::bind(const Json& pvc, const Json& volume, PointInTime pointInTime) {
  const Json claimRef = {{"apiVersion", "v1"},
                         {"kind", "PersistentVolumeClaim"},
                         {"namespace", text(pvc, "metadata", "namespace")},
                         {"name", text(pvc, "metadata", "name")},
                         {"uid", uidOf(pvc)}};
  GODWIT_TRY(cluster_.patch(
      r::kPersistentVolumes, volume,
      {{"metadata", {{"finalizers", finalizersWith(volume, kVolumeProtection)}}}, {"spec", {{"claimRef", claimRef}}}}));
  Json meta = {{"annotations", {{"pv.kubernetes.io/bind-completed", "yes"}}},
               {"finalizers", finalizersWith(pvc, kClaimProtection)}};
  if (pointInTime == PointInTime::No) meta["annotations"][kPointInTimeAnnotation] = "false";
  Json spec = {{"volumeName", text(volume, "metadata", "name")}};
  if (!find(pvc, "spec", "storageClassName")) spec["storageClassName"] = text(volume, "spec", "storageClassName");
  GODWIT_TRY(cluster_.patch(r::kPersistentVolumeClaims, pvc, {{"metadata", meta}, {"spec", spec}}));
  const auto current = cluster_.get(r::kPersistentVolumeClaims, kube::keyOf(pvc));
  if (!current) return std::optional<Pending>();
  Json status = {{"phase", "Bound"},
                 {"accessModes", find(volume, "spec", "accessModes") ? volume["spec"]["accessModes"] : Json::array()},
                 {"capacity", find(volume, "spec", "capacity") ? volume["spec"]["capacity"] : Json::object()},
                 {"conditions", nullptr}};
  GODWIT_TRY(cluster_.patch(r::kPersistentVolumeClaims, *current, {{"status", status}}, kube::Subresource::Status));
  return std::optional<Pending>();
}

}  // namespace godwit::standalone
