// Preloaded into rsync by src/mover/foreign_root.cpp, which says what for. Every call with which a program sets the
// attributes of one file is made as asked. Only when the kernel answers EPERM, and only about the one directory that
// the environment names, does the caller hear of success. Needs nothing but libc: no C++ runtime, no state.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#define GODWIT_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

// The file a call is about: by a descriptor alone, or by a name beneath one.
struct File {
  int directory;
  const char* name;  // null: the descriptor itself
  int flags;
};

constexpr File followed(const char* path) {
  return {AT_FDCWD, path, 0};
}
constexpr File notFollowed(const char* path) {
  return {AT_FDCWD, path, AT_SYMLINK_NOFOLLOW};
}
constexpr File opened(int fd) {
  return {fd, nullptr, 0};
}
constexpr File beneath(int directory, const char* path, int flags) {
  return {directory, path, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)};
}

// GODWIT_FOREIGN_ROOT=DEVICE:INODE
bool isForeignRoot(const File& file) {
  const char* text = ::getenv("GODWIT_FOREIGN_ROOT");
  if (!text) return false;
  char* end = nullptr;
  const auto device = ::strtoull(text, &end, 10);
  if (*end != ':') return false;
  const auto inode = ::strtoull(end + 1, nullptr, 10);
  struct stat st;
  const int found = file.name ? ::fstatat(file.directory, file.name, &st, file.flags) : ::fstat(file.directory, &st);
  return found == 0 && S_ISDIR(st.st_mode) && st.st_dev == device && st.st_ino == inode;
}

int judged(int result, const File& file) {
  if (result == 0 || errno != EPERM) return result;
  if (isForeignRoot(file)) return 0;
  errno = EPERM;
  return result;
}

template <class... Arguments>
int real(const char* name, Arguments... arguments) {
  const auto call = reinterpret_cast<int (*)(Arguments...)>(::dlsym(RTLD_NEXT, name));
  if (call) return call(arguments...);
  errno = ENOSYS;
  return -1;
}

}  // namespace

GODWIT_EXPORT int chmod(const char* path, mode_t mode) noexcept {
  return judged(real("chmod", path, mode), followed(path));
}
GODWIT_EXPORT int lchmod(const char* path, mode_t mode) noexcept {
  return judged(real("lchmod", path, mode), notFollowed(path));
}
GODWIT_EXPORT int fchmod(int fd, mode_t mode) noexcept {
  return judged(real("fchmod", fd, mode), opened(fd));
}
GODWIT_EXPORT int fchmodat(int fd, const char* path, mode_t mode, int flags) noexcept {
  return judged(real("fchmodat", fd, path, mode, flags), beneath(fd, path, flags));
}

GODWIT_EXPORT int chown(const char* path, uid_t user, gid_t group) noexcept {
  return judged(real("chown", path, user, group), followed(path));
}
GODWIT_EXPORT int lchown(const char* path, uid_t user, gid_t group) noexcept {
  return judged(real("lchown", path, user, group), notFollowed(path));
}
GODWIT_EXPORT int fchown(int fd, uid_t user, gid_t group) noexcept {
  return judged(real("fchown", fd, user, group), opened(fd));
}
GODWIT_EXPORT int fchownat(int fd, const char* path, uid_t user, gid_t group, int flags) noexcept {
  return judged(real("fchownat", fd, path, user, group, flags), beneath(fd, path, flags));
}

GODWIT_EXPORT int utimes(const char* path, const timeval times[2]) noexcept {
  return judged(real("utimes", path, times), followed(path));
}
GODWIT_EXPORT int lutimes(const char* path, const timeval times[2]) noexcept {
  return judged(real("lutimes", path, times), notFollowed(path));
}
GODWIT_EXPORT int futimens(int fd, const timespec times[2]) noexcept {
  return judged(real("futimens", fd, times), opened(fd));
}
GODWIT_EXPORT int utimensat(int fd, const char* path, const timespec times[2], int flags) noexcept {
  return judged(real("utimensat", fd, path, times, flags), beneath(fd, path, flags));
}

// ACLs too: libacl sets them by these.
GODWIT_EXPORT int setxattr(const char* path, const char* name, const void* value, size_t size, int flags) noexcept {
  return judged(real("setxattr", path, name, value, size, flags), followed(path));
}
GODWIT_EXPORT int lsetxattr(const char* path, const char* name, const void* value, size_t size, int flags) noexcept {
  return judged(real("lsetxattr", path, name, value, size, flags), notFollowed(path));
}
GODWIT_EXPORT int fsetxattr(int fd, const char* name, const void* value, size_t size, int flags) noexcept {
  return judged(real("fsetxattr", fd, name, value, size, flags), opened(fd));
}
GODWIT_EXPORT int removexattr(const char* path, const char* name) noexcept {
  return judged(real("removexattr", path, name), followed(path));
}
GODWIT_EXPORT int lremovexattr(const char* path, const char* name) noexcept {
  return judged(real("lremovexattr", path, name), notFollowed(path));
}
GODWIT_EXPORT int fremovexattr(int fd, const char* name) noexcept {
  return judged(real("fremovexattr", fd, name), opened(fd));
}
