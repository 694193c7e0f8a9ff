#include "standalone/snapshot_controller.h"

#include "api/meta.h"
#include "standalone/objects.h"
#include "standalone/pod_spec.h"

namespace godwit::standalone {

namespace {

namespace r = kube::resources;

std::string handleOf(const Json& snapshot) {
  return "snap-" + uidOf(snapshot);
}
std::string contentNameOf(const Json& snapshot) {
  return "snapcontent-" + uidOf(snapshot);
}

Json contentFor(const Json& snapshot, const Json& snapshotClass, const std::string& volume) {
  const auto policy = text(snapshotClass, "deletionPolicy");
  return {{"apiVersion", r::kVolumeSnapshotContents.apiVersion()},
          {"kind", "VolumeSnapshotContent"},
          {"metadata", {{"name", contentNameOf(snapshot)}}},
          {"spec",
           {{"deletionPolicy", policy.empty() ? "Delete" : policy},
            {"driver", kDriver},
            {"source", {{"volumeHandle", volume}}},
            {"volumeSnapshotClassName", text(snapshotClass, "metadata", "name")},
            {"volumeSnapshotRef",
             {{"apiVersion", r::kVolumeSnapshots.apiVersion()},
              {"kind", "VolumeSnapshot"},
              {"namespace", text(snapshot, "metadata", "namespace")},
              {"name", text(snapshot, "metadata", "name")},
              {"uid", uidOf(snapshot)}}}}}};
}

}  // namespace

bool SnapshotController::step() {
  bool any = false;
  for (const auto& snapshot : cluster_.list(r::kVolumeSnapshots)) {
    any |= backoffs_.attempt(*snapshot, [&] { return reconcileSnapshot(*snapshot); });
  }
  for (const auto& content : cluster_.list(r::kVolumeSnapshotContents)) {
    any |= backoffs_.attempt(*content, [&] { return reconcileContent(*content); });
  }
  return any;
}

Result<bool> SnapshotController::reconcileSnapshot(const Json& snapshot) {
  if (isDeleting(snapshot) || truth(snapshot, "status", "readyToUse")) return false;
  if (const auto name = text(snapshot, "spec", "source", "volumeSnapshotContentName"); !name.empty())
    return adopt(snapshot, name);
  const auto claim = text(snapshot, "spec", "source", "persistentVolumeClaimName");
  const auto pvc = cluster_.get(r::kPersistentVolumeClaims, {text(snapshot, "metadata", "namespace"), claim});
  if (!pvc) return refuse(snapshot, fmt::format("spec.source: persistentvolumeclaim \"{}\" not found", claim));
  const auto path = claimPath(cluster_, *pvc);
  if (!path)
    return refuse(snapshot,
                  fmt::format("spec.source: persistentvolumeclaim \"{}\" is not bound yet{}", claim, becauseOf(*pvc)));
  const auto snapshotClass = classOf(snapshot);
  if (!snapshotClass) {
    const auto name = text(snapshot, "spec", "volumeSnapshotClassName");
    return refuse(snapshot,
                  name.empty()
                      ? "spec.volumeSnapshotClassName: none is given and there is no default VolumeSnapshotClass"
                      : fmt::format("spec.volumeSnapshotClassName: volumesnapshotclass \"{}\" not found", name));
  }
  if (text(*snapshotClass, "driver") != kDriver) return false;  // somebody else's
  auto content = cluster_.get(r::kVolumeSnapshotContents, {"", contentNameOf(snapshot)});
  if (!content) {
    // The object first: it is what a later life finds, to go on or to clean up.
    GODWIT_ASSIGN(const auto current, cluster_.fresh(r::kVolumeSnapshots, kube::keyOf(snapshot)));
    if (!current || uidOf(*current) != uidOf(snapshot) || isDeleting(*current)) return false;
    const auto wanted = contentFor(snapshot, *snapshotClass, text(*pvc, "spec", "volumeName"));
    auto created = cluster_.create(r::kVolumeSnapshotContents, wanted);
    if (created.is(Errc::AlreadyExists)) return false;
    if (!created.ok()) return std::move(created.error());
    content = std::make_shared<const Json>(*std::move(created));
  }
  return take(snapshot, *content, *pvc, *path);
}

Object SnapshotController::classOf(const Json& snapshot) const {
  const auto name = text(snapshot, "spec", "volumeSnapshotClassName");
  if (!name.empty()) return cluster_.get(r::kVolumeSnapshotClasses, {"", name});
  for (const auto& candidate : cluster_.list(r::kVolumeSnapshotClasses)) {
    if (annotation(*candidate, "snapshot.storage.kubernetes.io/is-default-class") == "true") return candidate;
  }
  return nullptr;
}

Result<bool> SnapshotController::take(const Json& snapshot, const Json& content, const Json& pvc,
                                      const std::string& path) {
  const auto handle = handleOf(snapshot);
  const auto done = work_.ask(handle, [this, handle, path] { return volumes_.createSnapshot(handle, path); });
  if (!done) return false;
  if (!done->ok()) {
    GODWIT_TRY(refuse(snapshot, done->error().message));
    return done->error();
  }
  // A clone of a volume that was itself torn is no better than its source.
  const bool torn = **done == PointInTime::No || annotation(pvc, kPointInTimeAnnotation) == "false";
  const auto now = clock_.now();
  Json status = {{"snapshotHandle", handle}, {"readyToUse", true}, {"creationTime", now.time_since_epoch().count()}};
  if (const auto capacity = text(pvc, "status", "capacity", "storage"); !capacity.empty())
    status["restoreSize"] = capacity;
  GODWIT_TRY(cluster_.patch(r::kVolumeSnapshotContents, content, {{"status", status}}, kube::Subresource::Status));
  const auto current = cluster_.get(r::kVolumeSnapshotContents, kube::keyOf(content));
  return publish(snapshot, current ? *current : content, torn ? PointInTime::No : PointInTime::Yes);
}

Result<bool> SnapshotController::publish(const Json& snapshot, const Json& content, PointInTime pointInTime) {
  Json from = snapshot;
  if (pointInTime == PointInTime::No) {
    GODWIT_TRY(cluster_.patch(r::kVolumeSnapshots, snapshot,
                              {{"metadata", {{"annotations", {{kPointInTimeAnnotation, "false"}}}}}}));
    if (const auto current = cluster_.get(r::kVolumeSnapshots, kube::keyOf(snapshot))) from = *current;
  }
  const auto nanoseconds = number(clock_.now().time_since_epoch().count(), content, "status", "creationTime");
  Json status = {{"boundVolumeSnapshotContentName", text(content, "metadata", "name")},
                 {"creationTime", api::formatTime(TimePoint(Duration(nanoseconds)))},
                 {"readyToUse", true},
                 {"error", nullptr}};
  if (const auto* size = find(content, "status", "restoreSize")) status["restoreSize"] = *size;
  recorder_.event(referenceTo(snapshot), kube::EventType::Normal, "SnapshotReady", "Snapshot is ready to use.");
  return cluster_.patch(r::kVolumeSnapshots, from, {{"status", status}}, kube::Subresource::Status);
}

// A content that was made beforehand: it must name this snapshot and hold data.
Result<bool> SnapshotController::adopt(const Json& snapshot, const std::string& contentName) {
  const auto content = cluster_.get(r::kVolumeSnapshotContents, {"", contentName});
  if (!content)
    return refuse(snapshot, fmt::format("spec.source: volumesnapshotcontent \"{}\" not found", contentName));
  if (text(*content, "spec", "driver") != kDriver) return false;
  if (text(*content, "spec", "volumeSnapshotRef", "name") != text(snapshot, "metadata", "name") ||
      text(*content, "spec", "volumeSnapshotRef", "namespace") != text(snapshot, "metadata", "namespace")) {
    return refuse(snapshot,
                  fmt::format("spec.source: volumesnapshotcontent \"{}\" is for another VolumeSnapshot", contentName));
  }
  auto handle = text(*content, "spec", "source", "snapshotHandle");
  if (handle.empty()) handle = text(*content, "status", "snapshotHandle");
  if (const auto size = volumes_.size(handle); !size.ok()) return refuse(snapshot, size.error().message);
  GODWIT_TRY(cluster_.patch(r::kVolumeSnapshotContents, *content,
                            {{"spec", {{"volumeSnapshotRef", {{"uid", uidOf(snapshot)}}}}}}));
  const auto bound = cluster_.get(r::kVolumeSnapshotContents, {"", contentName});
  if (!bound) return false;
  GODWIT_TRY(cluster_.patch(r::kVolumeSnapshotContents, *bound,
                            {{"status", {{"snapshotHandle", handle}, {"readyToUse", true}}}},
                            kube::Subresource::Status));
  return publish(snapshot, *bound, PointInTime::Yes);
}

Result<bool> SnapshotController::refuse(const Json& snapshot, const std::string& message) {
  if (text(snapshot, "status", "error", "message") == message) return false;
  recorder_.event(referenceTo(snapshot), kube::EventType::Warning, "SnapshotCreationFailed", message);
  const Json error = {{"message", message}, {"time", api::formatTime(clock_.now())}};
  return cluster_.patch(r::kVolumeSnapshots, snapshot, {{"status", {{"readyToUse", false}, {"error", error}}}},
                        kube::Subresource::Status);
}

// A content whose snapshot is gone is deleted with its data, or kept, as its policy says.
Result<bool> SnapshotController::reconcileContent(const Json& content) {
  const auto uid = text(content, "spec", "volumeSnapshotRef", "uid");
  if (uid.empty() || text(content, "spec", "driver") != kDriver || text(content, "spec", "deletionPolicy") != "Delete")
    return false;
  const kube::NamespacedName key{text(content, "spec", "volumeSnapshotRef", "namespace"),
                                 text(content, "spec", "volumeSnapshotRef", "name")};
  const auto snapshot = cluster_.get(r::kVolumeSnapshots, key);
  if (snapshot && uidOf(*snapshot) == uid) return false;
  GODWIT_ASSIGN(const auto current, cluster_.fresh(r::kVolumeSnapshots, key));
  if (current && uidOf(*current) == uid) return false;
  auto handle = text(content, "status", "snapshotHandle");
  if (handle.empty()) handle = "snap-" + uid;
  // The event that makes the link be switched brings us here again.
  if (images_) {
    GODWIT_ASSIGN(const bool held, images_->holds(volumes_.snapshotPath(handle), "VolumeSnapshot", key.name));
    if (held) return false;
  }
  return discard(content, handle);
}

Result<bool> SnapshotController::discard(const Json& content, const std::string& handle) {
  if (work_.busy(handle)) {  // an abandoned copy runs to its end first
    (void)work_.ask(handle, {});
    return false;
  }
  const auto done = work_.ask(handle + "/delete", [this, handle]() -> Result<PointInTime> {
    GODWIT_TRY(volumes_.deleteSnapshot(handle));
    return PointInTime::Yes;
  });
  if (!done) return false;
  if (!done->ok()) return done->error();
  return cluster_.remove(r::kVolumeSnapshotContents, content);
}

}  // namespace godwit::standalone
