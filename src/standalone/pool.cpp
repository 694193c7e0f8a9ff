#include "standalone/pool.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <fmt/core.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "standalone/btrfs.h"
#include "standalone/volumes_btrfs.h"

namespace godwit::standalone {

namespace {

constexpr std::int64_t kSmallestImage = 256LL << 20;  // below, mkfs.btrfs wants special treatment

Result<void> run(std::vector<std::string> argv) {
  const auto program = argv.front();
  ProcessSpec spec;
  spec.argv = std::move(argv);
  GODWIT_ASSIGN(const auto output, runProcess(std::move(spec), {}, std::chrono::minutes(5)));
  if (output.status.success()) return {};
  auto said = output.err.empty() ? output.out : output.err;
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return Error{Errc::Io, fmt::format("{}: {}", program, said)};
}

// Sparse: it takes room only as volumes fill it. What else lives on the file system needs room to go on as well.
Result<void> createImage(const std::string& image, std::int64_t bytes) {
  struct statvfs fs {};
  if (::statvfs(image.substr(0, image.rfind('/')).c_str(), &fs) != 0) return errnoError(image);
  const auto available = static_cast<std::int64_t>(fs.f_bavail) * static_cast<std::int64_t>(fs.f_frsize);
  const auto wanted = bytes > 0 ? bytes : available - available / 10;
  if (wanted < kSmallestImage)
    return Error{Errc::Invalid, fmt::format("{}: {} bytes are too few for a btrfs", image, wanted)};
  const auto temporary = image + ".tmp";
  ::unlink(temporary.c_str());
  const UniqueFd fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid() || ::ftruncate(fd.get(), wanted) != 0) return errnoError(temporary);
  GODWIT_TRY(run({"mkfs.btrfs", "--quiet", "--label", "godwit", temporary}));
  return ::rename(temporary.c_str(), image.c_str()) == 0 ? Result<void>() : errnoError(image);
}

bool isMountPoint(const std::string& dir) {
  struct stat here {
  }, above{};
  return ::stat(dir.c_str(), &here) == 0 && ::stat((dir + "/..").c_str(), &above) == 0 && here.st_dev != above.st_dev;
}

// After a write error of its device btrfs takes no more writes until it is mounted anew.
bool isReadOnly(const std::string& dir) {
  struct statvfs fs {};
  return ::statvfs(dir.c_str(), &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0;
}

Result<void> mountImage(const std::string& image, const std::string& dir) {
  if (isMountPoint(dir)) {  // an earlier life's
    if (!isReadOnly(dir)) return {};
    if (::umount2(dir.c_str(), 0) != 0)
      return errnoError(dir + " has become read-only (was the disk full?) and cannot be mounted anew");
  }
  // discard: what volumes leave goes back to the file system that holds the image.
  return run({"mount", "-t", "btrfs", "-o", "loop,noatime,nosuid,nodev,compress=zstd:1,discard=async", image, dir});
}

bool exists(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0;
}

Result<Pool> openImage(const std::string& dataDir, std::int64_t bytes) {
  const auto image = dataDir + "/pool.img", dir = dataDir + "/pool";
  if (::geteuid() != 0) return Error{Errc::Forbidden, image + ": mounting an image needs root"};
  const bool fresh = !exists(image);
  if (fresh) GODWIT_TRY(createImage(image, bytes));
  if (::mkdir(dir.c_str(), 0711) != 0 && errno != EEXIST) return errnoError(dir);
  if (auto mounted = mountImage(image, dir); !mounted.ok()) {
    if (fresh) ::unlink(image.c_str());
    return std::move(mounted.error());
  }
  GODWIT_ASSIGN(auto volumes, BtrfsVolumes::open(dir, dataDir));
  return Pool{std::move(volumes), fmt::format("btrfs in {}: snapshots are points in time", image)};
}

Result<Pool> openDirectory(const std::string& dir) {
  GODWIT_ASSIGN(auto volumes, DirectoryVolumes::open(dir));
  return Pool{
      std::move(volumes),
      fmt::format("directories in {}: a snapshot is a copy, a point in time only if nothing changed meanwhile", dir)};
}

bool isEmpty(const std::string& dir) {
  std::error_code failed;
  return std::filesystem::is_empty(dir, failed) || failed;
}

// Another kind of pool in the same place would make the volumes vanish that this data directory already has.
Result<void> checkKind(const std::string& dataDir, PoolOptions::Kind kind) {
  const auto dir = dataDir + "/pool", image = dataDir + "/pool.img";
  if (kind == PoolOptions::Kind::Directory && exists(image)) {
    return Error{
        Errc::Conflict,
        fmt::format("--pool directory: the volumes of {} are in {}: leave the option out, or give another --data-dir",
                    dataDir, image)};
  }
  const bool directories = !exists(image) && !btrfs::isBtrfs(dataDir) && !isEmpty(dir + "/volumes");
  if (kind == PoolOptions::Kind::Btrfs && directories) {
    return Error{
        Errc::Conflict,
        fmt::format("--pool btrfs: the volumes of {} are plain directories in {}: leave the option out, or give "
                    "another --data-dir",
                    dataDir, dir)};
  }
  return {};
}

}  // namespace

Result<Pool> openPool(const std::string& dataDir, const PoolOptions& options) {
  const auto dir = dataDir + "/pool";
  GODWIT_TRY(checkKind(dataDir, options.kind));
  if (options.kind == PoolOptions::Kind::Directory) return openDirectory(dir);
  if (btrfs::isBtrfs(dataDir)) {
    GODWIT_ASSIGN(auto volumes, BtrfsVolumes::open(dir));
    return Pool{std::move(volumes), fmt::format("btrfs subvolumes in {}: snapshots are points in time", dir)};
  }
  const bool hasImage = exists(dataDir + "/pool.img");
  // Volumes that live in plain directories already stay where they are.
  const bool hasDirectories = !hasImage && exists(dir + "/volumes");
  if (options.kind == PoolOptions::Kind::Auto && hasDirectories) return openDirectory(dir);
  auto image = openImage(dataDir, options.imageBytes);
  if (image.ok() || hasImage || options.kind == PoolOptions::Kind::Btrfs) return image;
  log::info("pool", "no btrfs image ({}); using directories", image.error().message);
  return openDirectory(dir);
}

void closePool(const std::string& dataDir) {
  const auto dir = dataDir + "/pool";
  if (exists(dataDir + "/pool.img") && isMountPoint(dir)) (void)::umount2(dir.c_str(), MNT_DETACH);
}

}  // namespace godwit::standalone
