#include "sim/disk.h"

#include <fmt/core.h>

namespace godwit::sim {

using standalone::PointInTime;

Content* Disk::at(const std::string& path) {
  const auto it = contents_.find(path);
  return it == contents_.end() ? nullptr : &it->second;
}

Result<void> Disk::mayFail(const char* what, const std::string& handle) {
  if (failure > 0 && random_.unit() < failure)
    return Error{Errc::Io, fmt::format("injected: {} {}: I/O error", what, handle)};
  return {};
}

Result<void> Disk::createVolume(const std::string& handle, std::int64_t) {
  GODWIT_TRY(mayFail("create", handle));
  contents_.try_emplace(volumePath(handle));
  return {};
}

Result<PointInTime> Disk::copy(const std::string& to, const std::string& from) {
  if (at(to)) return PointInTime::Yes;
  auto waiting = pending_.find(to);
  if (waiting == pending_.end()) {
    const auto* source = at(from);
    if (!source) return Error{Errc::NotFound, from + ": no such volume"};
    const Duration due = clock_.monotonic() + Duration(random_.below(static_cast<std::uint64_t>(slowest.count()) + 1));
    waiting = pending_.emplace(to, Pending{due, *source}).first;
  }
  if (waiting->second.due > clock_.monotonic()) return Error{Errc::Unavailable, to + ": still being copied"};
  contents_.emplace(to, waiting->second.content);
  pending_.erase(waiting);
  return changing > 0 && random_.unit() < changing ? PointInTime::No : PointInTime::Yes;
}

Result<PointInTime> Disk::cloneVolume(const std::string& handle, const std::string& fromPath) {
  GODWIT_TRY(mayFail("clone", handle));
  return copy(volumePath(handle), fromPath);
}

Result<void> Disk::restoreVolume(const std::string& handle, const std::string& snapshot) {
  GODWIT_TRY(mayFail("restore", handle));
  auto done = copy(volumePath(handle), snapshotPath(snapshot));
  if (!done.ok()) return std::move(done.error());
  return {};
}

Result<PointInTime> Disk::createSnapshot(const std::string& handle, const std::string& fromPath) {
  GODWIT_TRY(mayFail("snapshot", handle));
  return copy(snapshotPath(handle), fromPath);
}

Result<void> Disk::erase(const std::string& path) {
  pending_.erase(path);
  if (contents_.erase(path) && inUse && inUse(path) && complain) complain(path + " was deleted under a running mover");
  return {};
}

Result<void> Disk::deleteVolume(const std::string& handle) {
  GODWIT_TRY(mayFail("delete", handle));
  return erase(volumePath(handle));
}

Result<void> Disk::deleteSnapshot(const std::string& handle) {
  GODWIT_TRY(mayFail("delete", handle));
  return erase(snapshotPath(handle));
}

Result<std::int64_t> Disk::size(const std::string& handle) {
  if (const auto* volume = at(volumePath(handle))) return volume->writes * 4096;
  if (const auto* snapshot = at(snapshotPath(handle))) return snapshot->writes * 4096;
  return Error{Errc::NotFound, handle + ": no such volume or snapshot"};
}

}  // namespace godwit::sim
