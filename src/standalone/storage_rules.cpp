#include "standalone/storage_rules.h"

#include <sys/stat.h>

#include <filesystem>

#include "api/quantity.h"
#include "standalone/objects.h"

namespace godwit::standalone {

namespace {

std::int64_t bytesOf(const std::string& quantity) {
  const auto parsed = api::parseBytes(quantity);
  return parsed.ok() ? *parsed : 0;
}

// A directory a user named. Created only where the volume says so.
std::string whyNoDirectory(const Json& volume, const std::string& path) {
  if (path.empty()) return "the volume names neither spec.hostPath.path nor spec.local.path";
  if (text(volume, "spec", "hostPath", "type") == "DirectoryOrCreate") {
    std::error_code failed;
    std::filesystem::create_directories(path, failed);
  }
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) {
    return fmt::format(
        "spec.hostPath.path {} does not exist on this machine: create it, or set spec.hostPath.type: DirectoryOrCreate",
        path);
  }
  return S_ISDIR(st.st_mode) ? "" : fmt::format("spec.hostPath.path {} is not a directory", path);
}

std::string whyNotClass(const Json& volume, const Json& pvc, const std::string& name) {
  const auto* wanted = find(pvc, "spec", "storageClassName");
  const auto has = text(volume, "spec", "storageClassName");
  if (!wanted && has.empty()) {
    return fmt::format(
        "the claim names the volume \"{}\", which has no storage class, but does not say storageClassName: \"\"; "
        "without that line the default class is meant: create the claim anew with spec.storageClassName: \"\"",
        name);
  }
  const auto asked = wanted && wanted->is_string() ? wanted->get<std::string>() : "";
  if (asked == has) return {};
  return fmt::format("storageClassName does not match: the claim says \"{}\", the volume \"{}\" says \"{}\"", asked,
                     name, has);
}

}  // namespace

std::string poolHandle(const Json& pvc) {
  return "pvc-" + uidOf(pvc);
}

std::int64_t requestedBytes(const Json& pvc) {
  return bytesOf(text(pvc, "spec", "resources", "requests", "storage"));
}

std::int64_t capacityOf(const Json& volume) {
  return bytesOf(text(volume, "spec", "capacity", "storage"));
}

Json poolVolume(const Json& pvc, const Json& storageClass, const std::string& path) {
  const auto policy = text(storageClass, "reclaimPolicy");
  Json modes = elements(find(pvc, "spec", "accessModes"));
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolume"},
          {"metadata", {{"name", poolHandle(pvc)}, {"annotations", {{"pv.kubernetes.io/provisioned-by", kDriver}}}}},
          {"spec",
           {{"capacity", {{"storage", text(pvc, "spec", "resources", "requests", "storage")}}},
            {"accessModes", std::move(modes)},
            {"persistentVolumeReclaimPolicy", policy.empty() ? "Delete" : policy},
            {"storageClassName", text(storageClass, "metadata", "name")},
            {"volumeMode", "Filesystem"},
            {"local", {{"path", path}}},
            {"claimRef",
             {{"apiVersion", "v1"},
              {"kind", "PersistentVolumeClaim"},
              {"namespace", text(pvc, "metadata", "namespace")},
              {"name", text(pvc, "metadata", "name")},
              {"uid", uidOf(pvc)}}}}}};
}

bool isPoolVolumeOf(const Json& volume, const Json& pvc) {
  return text(volume, "metadata", "name") == poolHandle(pvc) &&
         annotation(volume, "pv.kubernetes.io/provisioned-by") == kDriver;
}

bool claims(const Json& volume, const Json& pvc) {
  const auto* reference = find(volume, "spec", "claimRef");
  if (!reference || text(*reference, "name") != text(pvc, "metadata", "name") ||
      text(*reference, "namespace") != text(pvc, "metadata", "namespace")) {
    return false;
  }
  const auto uid = text(*reference, "uid");
  return uid.empty() || uid == uidOf(pvc);
}

DataSource dataSourceOf(const Json& pvc) {
  const auto* source = find(pvc, "spec", "dataSourceRef");
  if (!source) source = find(pvc, "spec", "dataSource");
  if (!source) return {};
  return {text(*source, "apiGroup"), text(*source, "kind"), text(*source, "name")};
}

bool filledByOthers(const Json& pvc) {
  const auto source = dataSourceOf(pvc);
  const bool claim = source.group.empty() && source.kind == "PersistentVolumeClaim";
  const bool snapshot = source.group == "snapshot.storage.k8s.io" && source.kind == "VolumeSnapshot";
  return !source.kind.empty() && !claim && !snapshot;
}

std::string whyNotBindable(const Json& volume, const Json& pvc, bool checkHostPath) {
  const auto name = text(volume, "metadata", "name");
  if (auto why = whyNotClass(volume, pvc, name); !why.empty()) return why;
  if (const auto* reference = find(volume, "spec", "claimRef"); reference && !claims(volume, pvc)) {
    return fmt::format(
        "volume \"{}\" already bound to a different claim: {}/{} (remove its spec.claimRef if that one is gone)", name,
        text(*reference, "namespace"), text(*reference, "name"));
  }
  if (capacityOf(volume) < requestedBytes(pvc)) return fmt::format("requested PV \"{}\" is too small", name);
  const Json& offered = elements(find(volume, "spec", "accessModes"));
  for (const auto& mode : elements(find(pvc, "spec", "accessModes"))) {
    if (std::find(offered.begin(), offered.end(), mode) == offered.end()) {
      return fmt::format("volume \"{}\": incompatible accessMode {}", name,
                         mode.is_string() ? mode.get<std::string>() : "?");
    }
  }
  return checkHostPath ? whyNoDirectory(volume, volumePathOf(volume)) : "";
}

}  // namespace godwit::standalone
