#include "standalone/btrfs.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/fd.h"

namespace godwit::standalone::btrfs {

namespace {

UniqueFd openDirectory(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// The ioctls of a subvolume take its parent directory and its name.
template <class Arguments>
Result<void> inParent(const std::string& path, unsigned long request, Arguments& arguments) {
  const std::filesystem::path at(path);
  const auto name = at.filename().string();
  if (name.empty() || name.size() >= sizeof arguments.name)
    return Error{Errc::Invalid, path + ": no name for a subvolume"};
  std::memcpy(arguments.name, name.c_str(), name.size() + 1);
  const auto parent = openDirectory(at.parent_path().string());
  if (!parent.valid()) return errnoError(at.parent_path().string());
  return ::ioctl(parent.get(), request, &arguments) == 0 ? Result<void>() : errnoError(path);
}

}  // namespace

bool isBtrfs(const std::string& path) {
  constexpr long kMagic = 0x9123683E;
  struct statfs st {};
  return ::statfs(path.c_str(), &st) == 0 && st.f_type == kMagic;
}

bool isSubvolume(const std::string& path) {
  constexpr ino_t kSubvolumeRoot = 256;
  struct stat st {};
  return isBtrfs(path) && ::stat(path.c_str(), &st) == 0 && st.st_ino == kSubvolumeRoot;
}

bool sameFileSystem(int a, int b) {
  btrfs_ioctl_fs_info_args one{}, other{};
  return ::ioctl(a, BTRFS_IOC_FS_INFO, &one) == 0 && ::ioctl(b, BTRFS_IOC_FS_INFO, &other) == 0 &&
         std::memcmp(one.fsid, other.fsid, sizeof one.fsid) == 0;
}

Result<void> createSubvolume(const std::string& path) {
  btrfs_ioctl_vol_args_v2 arguments{};
  return inParent(path, BTRFS_IOC_SUBVOL_CREATE_V2, arguments);
}

Result<void> snapshot(const std::string& from, const std::string& to, bool readOnly) {
  const auto source = openDirectory(from);
  if (!source.valid()) return errnoError(from);
  btrfs_ioctl_vol_args_v2 arguments{};
  arguments.fd = source.get();
  arguments.flags = readOnly ? BTRFS_SUBVOL_RDONLY : 0;
  return inParent(to, BTRFS_IOC_SNAP_CREATE_V2, arguments);
}

Result<void> deleteSubvolume(const std::string& path) {
  btrfs_ioctl_vol_args_v2 arguments{};
  auto done = inParent(path, BTRFS_IOC_SNAP_DESTROY_V2, arguments);
  if (done.is(Errc::Forbidden)) return Error{Errc::Unsupported, done.error().message};
  return done;
}

Result<void> setReadOnly(const std::string& path, bool readOnly) {
  const auto at = openDirectory(path);
  if (!at.valid()) return errnoError(path);
  std::uint64_t flags = 0;
  if (::ioctl(at.get(), BTRFS_IOC_SUBVOL_GETFLAGS, &flags) != 0) return errnoError(path);
  const auto wanted = readOnly ? flags | BTRFS_SUBVOL_RDONLY : flags & ~static_cast<std::uint64_t>(BTRFS_SUBVOL_RDONLY);
  if (wanted == flags) return {};
  return ::ioctl(at.get(), BTRFS_IOC_SUBVOL_SETFLAGS, &wanted) == 0 ? Result<void>() : errnoError(path);
}

}  // namespace godwit::standalone::btrfs
