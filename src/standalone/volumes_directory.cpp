#include "standalone/volumes_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/fd.h"
#include "base/log.h"

namespace godwit::standalone {

namespace fs = std::filesystem;

namespace {

// Beside a copy that is not a point in time, so that the verdict survives whoever asked for the copy.
std::string tornMark(const std::string& path) {
  return path + ".torn";
}

bool exists(const std::string& path) {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0;
}

void tellLosses(const std::string& from, const CopyReport& report) {
  if (report.notOwned + report.notMade + report.notMarked == 0) return;
  log::warn(
      "pool",
      "{}: the copy lacks what an ordinary user may not keep: owners of {} entries, {} devices, {} attributes or ACLs",
      from, report.notOwned, report.notMade, report.notMarked);
}

// What is called done must survive a power failure: first the content, then its name.
Result<void> flush(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::syncfs(fd.get()) != 0) return errnoError("sync " + path);
  return {};
}

}  // namespace

Result<void> checkHandle(const std::string& handle) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; };
  if (!handle.empty() && handle.size() <= 200 && handle[0] != '.' && std::all_of(handle.begin(), handle.end(), plain))
    return {};
  return Error{Errc::Invalid, fmt::format("\"{}\" is no handle of a volume or snapshot of this pool", handle)};
}

Result<std::unique_ptr<DirectoryVolumes>> DirectoryVolumes::open(const std::string& dir) {
  std::unique_ptr<DirectoryVolumes> out(new DirectoryVolumes(dir, ""));
  GODWIT_TRY(out->prepare());
  return out;
}

Result<void> DirectoryVolumes::prepare() {
  for (const char* below : {"", "/volumes", "/snapshots", "/trash"}) {
    const auto path = dir_ + below;
    // 0711: who knows a volume's name may pass (a database's own user), nobody may look around.
    if (::mkdir(path.c_str(), 0711) != 0 && errno != EEXIST) return errnoError(path);
  }
  std::error_code failed;
  for (const char* below : {"/volumes", "/snapshots", "/trash"}) {
    for (const auto& entry : fs::directory_iterator(dir_ + below, failed)) {
      const bool left = entry.path().extension() == ".tmp" || std::string_view(below) == "/trash";
      if (!left) continue;
      if (const auto gone = destroy(entry.path().string()); !gone.ok()) log::warn("pool", "{}", gone.error().message);
    }
  }
  return {};
}

Result<void> DirectoryVolumes::makeEmpty(const std::string& path) {
  return ::mkdir(path.c_str(), 0755) == 0 ? Result<void>() : errnoError(path);
}

Result<void> DirectoryVolumes::destroy(const std::string& path) {
  return removeTree(path);
}

Result<void> DirectoryVolumes::seal(const std::string& temporary, const std::string& path, bool) {
  return ::rename(temporary.c_str(), path.c_str()) == 0 ? Result<void>() : errnoError(path);
}

std::optional<Result<void>> DirectoryVolumes::cloneAtOnce(const std::string&, const std::string&, bool) {
  return std::nullopt;
}

Result<void> DirectoryVolumes::createVolume(const std::string& handle, std::int64_t) {
  GODWIT_TRY(checkHandle(handle));
  const auto path = volumePath(handle);
  if (exists(path)) return {};
  GODWIT_TRY(destroy(path + ".tmp"));
  GODWIT_TRY(makeEmpty(path + ".tmp"));
  return publish(path, false);
}

// What was made under a passing name gets its own, for good.
Result<void> DirectoryVolumes::publish(const std::string& path, bool readOnly) {
  GODWIT_TRY(seal(path + ".tmp", path, readOnly));
  return syncDirectory(fs::path(path).parent_path());
}

Result<PointInTime> DirectoryVolumes::copyInto(const std::string& from, const std::string& path, bool readOnly) {
  if (exists(path)) return exists(tornMark(path)) ? PointInTime::No : PointInTime::Yes;
  if (auto done = cloneAtOnce(from, path, readOnly)) {
    GODWIT_TRY(*done);
    return PointInTime::Yes;
  }
  const auto temporary = path + ".tmp";
  GODWIT_TRY(destroy(temporary));
  GODWIT_TRY(makeEmpty(temporary));
  CopyOptions options;
  options.exclude = dir_;
  options.below = below_;
  auto report = copyTree(from, temporary, options);
  if (!report.ok()) {
    (void)destroy(temporary).ok();
    return std::move(report.error());
  }
  tellLosses(from, *report);
  if (report->pointInTime == PointInTime::No) GODWIT_TRY(writeFileAtomic(tornMark(path), ""));
  GODWIT_TRY(flush(temporary));
  GODWIT_TRY(publish(path, readOnly));
  return report->pointInTime;
}

Result<PointInTime> DirectoryVolumes::cloneVolume(const std::string& handle, const std::string& fromPath) {
  GODWIT_TRY(checkHandle(handle));
  return copyInto(fromPath, volumePath(handle), false);
}

Result<void> DirectoryVolumes::restoreVolume(const std::string& handle, const std::string& snapshot) {
  GODWIT_TRY(checkHandle(handle));
  GODWIT_TRY(checkHandle(snapshot));
  if (!exists(volumePath(handle)) && !exists(snapshotPath(snapshot))) {
    return Error{Errc::NotFound, fmt::format("snapshot {} is not in the pool {} any more", snapshot, dir_)};
  }
  GODWIT_TRY(copyInto(snapshotPath(snapshot), volumePath(handle), false));
  return {};
}

Result<PointInTime> DirectoryVolumes::createSnapshot(const std::string& handle, const std::string& fromPath) {
  GODWIT_TRY(checkHandle(handle));
  return copyInto(fromPath, snapshotPath(handle), true);
}

// Away with the name at once; the content goes from the trash, also after a kill.
Result<void> DirectoryVolumes::discard(const std::string& path) {
  GODWIT_TRY(destroy(path + ".tmp"));
  ::unlink(tornMark(path).c_str());
  const auto trash = dir_ + "/trash/" + fs::path(path).filename().string();
  GODWIT_TRY(destroy(trash));
  GODWIT_TRY(unseal(path));
  if (::rename(path.c_str(), trash.c_str()) != 0) return errno == ENOENT ? Result<void>() : errnoError(path);
  return destroy(trash);
}

Result<void> DirectoryVolumes::deleteVolume(const std::string& handle) {
  GODWIT_TRY(checkHandle(handle));
  return discard(volumePath(handle));
}

Result<void> DirectoryVolumes::deleteSnapshot(const std::string& handle) {
  GODWIT_TRY(checkHandle(handle));
  return discard(snapshotPath(handle));
}

Result<std::int64_t> DirectoryVolumes::size(const std::string& handle) {
  GODWIT_TRY(checkHandle(handle));
  const auto volume = volumePath(handle);
  if (exists(volume)) return treeSize(volume);
  if (exists(snapshotPath(handle))) return treeSize(snapshotPath(handle));
  return Error{Errc::NotFound, fmt::format("no volume or snapshot {} in the pool {}", handle, dir_)};
}

}  // namespace godwit::standalone
