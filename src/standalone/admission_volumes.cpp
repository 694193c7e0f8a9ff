// Claims, volumes, snapshots and their classes.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/quantity.h"
#include "standalone/admission.h"

namespace godwit::standalone {

Result<void> checkAccessModes(const Admitted& a, const Json& spec) {
  static constexpr std::array kModes = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"};
  const Json* modes = find(spec, "accessModes");
  if (!modes || !modes->is_array() || modes->empty())
    return a.required("spec.accessModes", "at least 1 access mode is required");
  for (const auto& mode : *modes) {
    const bool known =
        mode.is_string() && std::find(kModes.begin(), kModes.end(), mode.get_ref<const std::string&>()) != kModes.end();
    if (!known)
      return a.refuse("spec.accessModes", fmt::format("Unsupported value: {}: supported values: \"{}\"", dumpJson(mode),
                                                      fmt::join(kModes, "\", \"")));
  }
  return {};
}

Result<std::int64_t> checkStorage(const Admitted& a, const std::string& field, const Json* quantity) {
  if (!quantity || quantity->is_null()) return a.required(field, "a quantity such as 10Gi");
  const auto bytes = api::parseBytes(quantity->is_string() ? quantity->get<std::string>() : dumpJson(*quantity));
  if (!bytes.ok()) return a.refuse(field, "Invalid value: " + bytes.error().message);
  if (*bytes <= 0) return a.refuse(field, "Invalid value: must be greater than zero");
  return *bytes;
}

namespace {

Result<void> checkVolumeMode(const Admitted& a, Json& spec) {
  defaultTo(spec, "volumeMode", "Filesystem");
  const auto mode = text(spec, "volumeMode");
  if (mode == "Filesystem" || mode == "Block") return {};
  return a.refuse("spec.volumeMode",
                  fmt::format("Unsupported value: \"{}\": supported values: \"Block\", \"Filesystem\"", mode));
}

// Of a claim only these may change: the size upwards, and what a binder fills in where nothing was.
Result<void> keepClaim(const Admitted& a, const Json& was, Json& is, std::int64_t bytes) {
  if (!find(is, "volumeMode")) is["volumeMode"] = text(was, "volumeMode");
  Json before = was, after = is;
  for (const char* filled : {"volumeName", "storageClassName", "dataSource", "dataSourceRef"}) {
    const Json* had = find(was, filled);
    if (had && *had != Json("")) continue;
    if (had && std::string_view(filled) == "storageClassName") continue;  // "" is a class of its own: none
    before.erase(filled);
    after.erase(filled);
  }
  for (Json* spec : {&before, &after}) {
    spec->erase("resources");
    spec->erase("volumeAttributesClassName");
  }
  if (before != after)
    return a.refuse("spec",
                    "Forbidden: spec is immutable after creation except resources.requests and "
                    "volumeAttributesClassName for bound claims");
  const Json* old = find(was, "resources", "requests", "storage");
  GODWIT_ASSIGN(const auto had, checkStorage(a, "spec.resources.requests.storage", old));
  if (bytes < had)
    return a.refuse("spec.resources.requests.storage", "Forbidden: field can not be less than previous value");
  return {};
}

}  // namespace

Result<void> admitClaim(const Admitted& a) {
  GODWIT_ASSIGN(Json * spec, a.spec());
  GODWIT_TRY(checkAccessModes(a, *spec));
  GODWIT_ASSIGN(const auto bytes,
                checkStorage(a, "spec.resources.requests.storage", find(*spec, "resources", "requests", "storage")));
  GODWIT_TRY(checkVolumeMode(a, *spec));
  if (a.before) return keepClaim(a, a.before->at("spec"), *spec, bytes);
  return {};
}

Result<void> admitVolume(const Admitted& a) {
  static constexpr std::array kSources = {"hostPath", "local", "csi", "nfs"};
  GODWIT_ASSIGN(Json * spec, a.spec());
  GODWIT_TRY(checkAccessModes(a, *spec));
  GODWIT_TRY(checkStorage(a, "spec.capacity.storage", find(*spec, "capacity", "storage")));
  GODWIT_TRY(checkVolumeMode(a, *spec));
  defaultTo(*spec, "persistentVolumeReclaimPolicy", "Retain");
  const auto sources = std::count_if(kSources.begin(), kSources.end(), [&](const char* s) { return find(*spec, s); });
  if (sources != 1)
    return a.refuse("spec", sources ? "Forbidden: may not specify more than 1 volume type"
                                    : "Required value: must specify a volume type, for instance hostPath");
  for (const char* source : {"hostPath", "local"}) {
    if (!find(*spec, source)) continue;
    const auto path = text(*spec, source, "path");
    const auto field = fmt::format("spec.{}.path", source);
    if (path.empty()) return a.required(field);
    if (path.front() != '/')
      return a.refuse(field, fmt::format("Invalid value: \"{}\": must be an absolute path", path));
    if ((path + "/").find("/../") != path.npos)
      return a.refuse(field, fmt::format("Invalid value: \"{}\": must not contain '..'", path));
  }
  for (const char* source : kSources) {
    if (a.before) GODWIT_TRY(keepField(a, a.before->at("spec"), *spec, "spec", source));
  }
  return {};
}

Result<void> admitStorageClass(const Admitted& a) {
  if (text(a.after, "provisioner").empty()) return a.required("provisioner");
  defaultTo(a.after, "reclaimPolicy", "Delete");
  defaultTo(a.after, "volumeBindingMode", "Immediate");
  const auto mode = text(a.after, "volumeBindingMode");
  if (mode != "Immediate" && mode != "WaitForFirstConsumer") {
    return a.refuse(
        "volumeBindingMode",
        fmt::format("Unsupported value: \"{}\": supported values: \"Immediate\", \"WaitForFirstConsumer\"", mode));
  }
  for (const char* key : {"provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"}) {
    if (a.before) GODWIT_TRY(keepField(a, *a.before, a.after, "", key));
  }
  return {};
}

Result<void> admitSnapshot(const Admitted& a) {
  GODWIT_ASSIGN(Json * spec, a.spec());
  const bool claim = !text(*spec, "source", "persistentVolumeClaimName").empty();
  const bool content = !text(*spec, "source", "volumeSnapshotContentName").empty();
  if (claim == content)
    return a.refuse(
        "spec.source",
        "Invalid value: exactly one of persistentVolumeClaimName and volumeSnapshotContentName must be set");
  return a.before ? keepField(a, a.before->at("spec"), *spec, "spec", "source") : Result<void>();
}

Result<void> admitSnapshotClass(const Admitted& a) {
  if (text(a.after, "driver").empty()) return a.required("driver");
  const auto policy = text(a.after, "deletionPolicy");
  if (policy != "Delete" && policy != "Retain")
    return a.refuse("deletionPolicy", "Unsupported value: supported values: \"Delete\", \"Retain\"");
  return a.before ? keepField(a, *a.before, a.after, "", "driver") : Result<void>();
}

}  // namespace godwit::standalone
