#include "standalone/image_links.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/log.h"
#include "standalone/objects.h"
#include "standalone/pod_spec.h"

namespace godwit::standalone {

namespace fs = std::filesystem;
namespace r = kube::resources;

Result<bool> switchLink(const std::string& link, const std::string& target) {
  std::error_code failed;
  if (fs::read_symlink(link, failed) == target && !failed) return false;
  const fs::path dir = fs::path(link).parent_path();
  fs::create_directories(dir, failed);
  if (failed) return Error{Errc::Io, fmt::format("{}: {}", dir.string(), failed.message())};
  const auto fresh = link + ".new";
  ::unlink(fresh.c_str());
  if (::symlink(target.c_str(), fresh.c_str()) != 0) return errnoError(fresh);
  if (::rename(fresh.c_str(), link.c_str()) != 0) return errnoError(link);
  return true;
}

std::string ImageLinks::targetOf(const Json& destination) const {
  const auto* image = find(destination, "status", "latestImage");
  if (!image) return {};
  const auto ns = text(destination, "metadata", "namespace"), name = text(*image, "name");
  if (text(*image, "kind") == "PersistentVolumeClaim") {
    const auto pvc = cluster_.get(r::kPersistentVolumeClaims, {ns, name});
    return pvc ? claimPath(cluster_, *pvc).value_or("") : "";
  }
  const auto snapshot = cluster_.get(r::kVolumeSnapshots, {ns, name});
  if (!snapshot) return {};
  const auto content =
      cluster_.get(r::kVolumeSnapshotContents, {"", text(*snapshot, "status", "boundVolumeSnapshotContentName")});
  const auto handle = content ? text(*content, "status", "snapshotHandle") : "";
  return handle.empty() ? "" : volumes_.snapshotPath(handle);
}

bool ImageLinks::step() {
  bool any = false;
  std::set<std::string> wanted;
  for (const auto& destination : cluster_.list(r::kReplicationDestinations)) {
    if (!find(*destination, "status", "latestImage")) continue;  // a link is that of an earlier one of its name
    const auto key = kube::keyOf(*destination).str();
    wanted.insert(key);
    const auto target = targetOf(*destination);
    if (target.empty() || !backoffs_.ready(key)) continue;
    const auto switched = switchLink(dir_ + "/" + key + "/latest", target);
    if (switched.ok()) {
      backoffs_.succeeded(key);
      any |= *switched;
    } else {
      log::warn("standalone", "image of {}: {}", key, switched.error().message);
      backoffs_.failed(key);
    }
  }
  sweep(wanted);
  return any;
}

std::vector<kube::NamespacedName> ImageLinks::pointingTo(const std::string& path) const {
  std::vector<kube::NamespacedName> out;
  std::error_code ignored;
  for (const auto& ns : fs::directory_iterator(dir_, ignored)) {
    for (const auto& name : fs::directory_iterator(ns.path(), ignored)) {
      if (fs::read_symlink(name.path() / "latest", ignored) == path)
        out.push_back({ns.path().filename(), name.path().filename()});
    }
  }
  return out;
}

// The server is asked, not the mirror, which is late by what matters here. A destination that is gone or has no image
// switches nothing any more, and one whose newest image this is lost it to somebody who wanted that.
Result<bool> ImageLinks::holds(const std::string& path, std::string_view kind, const std::string& name) const {
  for (const auto& key : pointingTo(path)) {
    GODWIT_ASSIGN(const auto destination, cluster_.fresh(r::kReplicationDestinations, key));
    const auto* newest = destination ? find(*destination, "status", "latestImage") : nullptr;
    if (newest && (text(*newest, "kind") != kind || text(*newest, "name") != name)) return true;
  }
  return false;
}

// Links of destinations that are gone; directories that somebody put other things into stay.
void ImageLinks::sweep(const std::set<std::string>& wanted) {
  std::error_code ignored;
  for (const auto& ns : fs::directory_iterator(dir_, ignored)) {
    for (const auto& name : fs::directory_iterator(ns.path(), ignored)) {
      if (wanted.contains((ns.path().filename() / name.path().filename()).string())) continue;
      ::unlink((name.path() / "latest").c_str());
      ::rmdir(name.path().c_str());
    }
    ::rmdir(ns.path().c_str());
  }
}

}  // namespace godwit::standalone
