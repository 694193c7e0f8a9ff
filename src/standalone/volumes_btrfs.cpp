#include "standalone/volumes_btrfs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "standalone/btrfs.h"

namespace godwit::standalone {

Result<std::unique_ptr<BtrfsVolumes>> BtrfsVolumes::open(const std::string& dir, const std::string& below) {
  std::unique_ptr<BtrfsVolumes> out(new BtrfsVolumes(dir, below));
  GODWIT_TRY(out->prepare());
  return out;
}

Result<void> BtrfsVolumes::makeEmpty(const std::string& path) {
  GODWIT_TRY(btrfs::createSubvolume(path));
  return ::chmod(path.c_str(), 0755) == 0 ? Result<void>() : errnoError(path);
}

// An ordinary user may empty a subvolume and remove it like a directory (kernel 4.18).
Result<void> BtrfsVolumes::destroy(const std::string& path) {
  if (!btrfs::isSubvolume(path)) return removeTree(path);
  GODWIT_TRY(btrfs::setReadOnly(path, false));
  auto deleted = btrfs::deleteSubvolume(path);
  if (deleted.is(Errc::Unsupported) || deleted.is(Errc::Io)) return removeTree(path);
  return deleted;
}

// A read-only subvolume cannot be moved to another directory: it is sealed last and unsealed first.
Result<void> BtrfsVolumes::seal(const std::string& temporary, const std::string& path, bool readOnly) {
  if (::rename(temporary.c_str(), path.c_str()) != 0) return errnoError(path);
  return readOnly ? btrfs::setReadOnly(path, true) : Result<void>();
}

Result<void> BtrfsVolumes::unseal(const std::string& path) {
  return btrfs::isSubvolume(path) ? btrfs::setReadOnly(path, false) : Result<void>();
}

std::optional<Result<void>> BtrfsVolumes::cloneAtOnce(const std::string& from, const std::string& to, bool readOnly) {
  // Only our own subvolumes: a user's may contain others, which a snapshot would leave out.
  if (!from.starts_with(dir() + "/") || !btrfs::isSubvolume(from)) return std::nullopt;
  return btrfs::snapshot(from, to, readOnly);
}

}  // namespace godwit::standalone
