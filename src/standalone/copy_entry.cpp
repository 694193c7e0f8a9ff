#include "standalone/copy_entry.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace godwit::standalone {

namespace {

// Where attributes are read from and written to. Paths through /proc/self/fd name an entry without following it.
struct Place {
  int fd = -1;  // an open file or directory, or
  std::string path;

  ssize_t list(char* out, std::size_t size) const {
    return fd >= 0 ? ::flistxattr(fd, out, size) : ::llistxattr(path.c_str(), out, size);
  }
  ssize_t get(const char* name, char* out, std::size_t size) const {
    return fd >= 0 ? ::fgetxattr(fd, name, out, size) : ::lgetxattr(path.c_str(), name, out, size);
  }
  int set(const char* name, const std::string& value) const {
    return fd >= 0 ? ::fsetxattr(fd, name, value.data(), value.size(), 0)
                   : ::lsetxattr(path.c_str(), name, value.data(), value.size(), 0);
  }
  int remove(const char* name) const { return fd >= 0 ? ::fremovexattr(fd, name) : ::lremovexattr(path.c_str(), name); }
};

Place place(int dir, const char* name) {
  return {-1, "/proc/self/fd/" + std::to_string(dir) + "/" + name};
}

using Attributes = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> attributeNames(const Place& at) {
  constexpr std::size_t kMost = 64 << 10;  // the kernel's own limit
  char first[1024];
  std::string names;
  ssize_t size = at.list(first, sizeof first);
  if (size < 0 && errno == ERANGE) {
    names.resize(kMost);
    size = at.list(names.data(), names.size());
    names.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  } else {
    names.assign(first, size < 0 ? 0 : static_cast<std::size_t>(size));
  }
  std::vector<std::string> out;
  for (std::size_t i = 0; i < names.size(); i += out.back().size() + 1) out.emplace_back(names.c_str() + i);
  return out;
}

Attributes readAttributes(const Place& from) {
  constexpr std::size_t kMost = 64 << 10;
  Attributes out;
  for (auto& name : attributeNames(from)) {
    if (name == "security.selinux") continue;  // the label of the place, not of the data
    std::string value(kMost, '\0');
    const auto size = from.get(name.c_str(), value.data(), value.size());
    if (size < 0) continue;  // gone meanwhile: the next walk sees the new ctime
    value.resize(static_cast<std::size_t>(size));
    out.emplace_back(std::move(name), std::move(value));
  }
  return out;
}

bool isAcl(const std::string& name) {
  return name.starts_with("system.");
}

std::int64_t writeAttributes(const Place& to, const Attributes& attributes, bool acls) {
  std::int64_t refused = 0;
  for (const auto& [name, value] : attributes) {
    if (isAcl(name) == acls && to.set(name.c_str(), value) != 0) ++refused;
  }
  return refused;
}

void removeForeign(const Place& to, const Attributes& wanted) {
  for (const auto& name : attributeNames(to)) {
    const auto same = [&](const auto& attribute) { return attribute.first == name; };
    if (std::none_of(wanted.begin(), wanted.end(), same)) (void)to.remove(name.c_str());
  }
}

void times(const struct stat& from, timespec (&out)[2]) {
  out[0] = from.st_atim;
  out[1] = from.st_mtim;
}

// In this order: a change of owner drops capabilities and setuid, attributes of the user need write permission, a
// change of mode rewrites the ACL's mask, and everything touches the times.
Result<void> finishOpen(int from, int to, const struct stat& seen, CopyCounters& counters, bool fresh) {
  if (::fchown(to, seen.st_uid, seen.st_gid) != 0) {
    if (errno != EPERM && errno != EINVAL) return errnoError("chown");  // EINVAL: an id this user namespace has not
    ++counters.notOwned;
  }
  const Place source{from, {}}, target{to, {}};
  const auto attributes = readAttributes(source);
  if (!fresh) removeForeign(target, attributes);
  counters.notMarked += writeAttributes(target, attributes, false);
  if (::fchmod(to, seen.st_mode & 07777) != 0) return errnoError("chmod");
  counters.notMarked += writeAttributes(target, attributes, true);
  timespec both[2];
  times(seen, both);
  if (::futimens(to, both) != 0) return errnoError("times");
  return {};
}

Result<void> finishNamed(int fromDir, int toDir, const char* name, const struct stat& seen, CopyCounters& counters) {
  if (::fchownat(toDir, name, seen.st_uid, seen.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != EPERM && errno != EINVAL) return errnoError("chown");  // EINVAL: an id this user namespace has not
    ++counters.notOwned;
  }
  const auto attributes = readAttributes(place(fromDir, name));
  const auto target = place(toDir, name);
  counters.notMarked += writeAttributes(target, attributes, false);
  if (!S_ISLNK(seen.st_mode) && ::fchmodat(toDir, name, seen.st_mode & 07777, 0) != 0) return errnoError("chmod");
  counters.notMarked += writeAttributes(target, attributes, true);
  timespec both[2];
  times(seen, both);
  if (::utimensat(toDir, name, both, AT_SYMLINK_NOFOLLOW) != 0) return errnoError("times");
  return {};
}

// ENOENT and the errors of an entry that became another kind between the walk and now.
bool changedMeanwhile(int error) {
  return error == ENOENT || error == ELOOP || error == ENXIO || error == ENOTDIR || error == EISDIR;
}

}  // namespace

Result<bool> EntryCopier::copy(int fromDir, int toDir, const char* name, const struct stat& seen) {
  if (S_ISREG(seen.st_mode)) return copyRegular(fromDir, toDir, name, seen);
  GODWIT_ASSIGN(const bool made,
                S_ISLNK(seen.st_mode) ? copySymlink(fromDir, toDir, name) : makeSpecial(toDir, name, seen));
  if (made) GODWIT_TRY(finishNamed(fromDir, toDir, name, seen, counters_));
  return made;
}

Result<void> EntryCopier::finishDirectory(int from, int to, const struct stat& seen, bool fresh) {
  return finishOpen(from, to, seen, counters_, fresh);
}

Result<bool> EntryCopier::copyRegular(int fromDir, int toDir, const char* name, const struct stat& seen) {
  // O_NONBLOCK: what became a FIFO meanwhile must not hold us. O_NOATIME only the owner may ask for.
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  UniqueFd from(::openat(fromDir, name, kFlags | O_NOATIME));
  if (!from.valid() && errno == EPERM) from = UniqueFd(::openat(fromDir, name, kFlags));
  if (!from.valid()) return changedMeanwhile(errno) ? Result<bool>(false) : errnoError("read");
  struct stat now {};
  if (::fstat(from.get(), &now) != 0) return errnoError("stat");
  if (!S_ISREG(now.st_mode) || now.st_ino != seen.st_ino) return false;
  const UniqueFd to(::openat(toDir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to.valid()) return errnoError("create");
  if (seen.st_size > 0) GODWIT_TRY(copyData(from.get(), to.get(), seen));
  GODWIT_TRY(finishOpen(from.get(), to.get(), seen, counters_, false));
  return true;
}

Result<bool> EntryCopier::copySymlink(int fromDir, int toDir, const char* name) {
  char target[4097];
  const auto size = ::readlinkat(fromDir, name, target, sizeof target - 1);
  if (size < 0) return errno == EINVAL || changedMeanwhile(errno) ? Result<bool>(false) : errnoError("readlink");
  target[size] = '\0';
  if (::symlinkat(target, toDir, name) != 0) return errnoError("symlink");
  return true;
}

Result<bool> EntryCopier::makeSpecial(int toDir, const char* name, const struct stat& seen) {
  if (::mknodat(toDir, name, (seen.st_mode & S_IFMT) | 0600, seen.st_rdev) == 0) return true;
  const bool device = S_ISCHR(seen.st_mode) || S_ISBLK(seen.st_mode);
  if (!device || errno != EPERM) return errnoError("mknod");
  ++counters_.notMade;
  return false;
}

Result<void> EntryCopier::copyData(int from, int to, const struct stat& seen) {
  if (reflinks_) {
    if (::ioctl(to, FICLONE, from) == 0) return {};
    if (errno == EOPNOTSUPP || errno == EXDEV || errno == ENOTTY || errno == ENOSYS) reflinks_ = false;
  }
  counters_.bytes += seen.st_size;
  const bool sparse = seen.st_blocks * 512 < seen.st_size;
  if (!sparse) return copyRange(from, to, 0, seen.st_size);
  for (off_t at = 0; at < seen.st_size;) {
    const off_t data = ::lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole is left
    if (data < 0) return copyRange(from, to, at, seen.st_size);
    const off_t hole = ::lseek(from, data, SEEK_HOLE);
    const off_t end = hole < 0 ? seen.st_size : std::min<off_t>(hole, seen.st_size);
    GODWIT_TRY(copyRange(from, to, data, end));
    at = end;
  }
  if (::ftruncate(to, seen.st_size) != 0) return errnoError("truncate");
  return {};
}

// False: the kernel cannot for this pair of files. A file that became shorter ends the range early.
Result<bool> EntryCopier::copyRangeInKernel(int from, int to, off_t& offset, off_t end) {
  while (offset < end) {
    off_t in = offset, out = offset;
    const auto n = ::copy_file_range(from, &in, to, &out, static_cast<std::size_t>(end - offset), 0);
    if (n == 0) return offset != 0;  // some file systems answer 0 instead of an error at the very start
    if (n > 0) {
      offset += n;
    } else if (errno == EXDEV || errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP) {
      return false;
    } else if (errno != EINTR) {
      return errnoError("copy");
    }
  }
  return true;
}

Result<void> EntryCopier::copyRange(int from, int to, off_t offset, off_t end) {
  constexpr off_t kWorthIt = 64 << 10;  // below, one read and one write are as good
  if (inKernel_ && end - offset > kWorthIt) {
    GODWIT_ASSIGN(const bool done, copyRangeInKernel(from, to, offset, end));
    if (done) return {};
    inKernel_ = false;
  }
  thread_local std::vector<char> buffer(256 << 10);
  while (offset < end) {
    const auto n = ::pread(from, buffer.data(),
                           std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(end - offset)), offset);
    if (n == 0) return {};
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errnoError("read");
    for (ssize_t done = 0; done < n;) {
      const auto written = ::pwrite(to, buffer.data() + done, static_cast<std::size_t>(n - done), offset + done);
      if (written < 0 && errno != EINTR) return errnoError("write");
      if (written > 0) done += written;
    }
    offset += n;
  }
  return {};
}

}  // namespace godwit::standalone
