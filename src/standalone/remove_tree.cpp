#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <unordered_set>

#include "standalone/copy_tree.h"
#include "standalone/tree_scan.h"

namespace godwit::standalone {

namespace {

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

// A directory of an ordinary user may forbid its own emptying.
Directory openDirectory(int parent, const char* name) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = ::openat(parent, name, kFlags);
  if (fd < 0 && errno == EACCES && ::fchmodat(parent, name, 0700, 0) == 0) fd = ::openat(parent, name, kFlags);
  return {fd < 0 ? nullptr : ::fdopendir(fd), ::closedir};
}

bool isDot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int unlinkEither(int parent, const char* name, bool directory) {
  const int flags = directory ? AT_REMOVEDIR : 0;
  if (::unlinkat(parent, name, flags) == 0 || errno == ENOENT) return 0;
  if (errno != EACCES || ::fchmod(parent, 0700) != 0) return -1;
  return ::unlinkat(parent, name, flags);
}

// With its own stack: a tree may be deeper than ours. `device`: other file systems are not entered.
Result<void> emptyDirectory(Directory top, dev_t device) {
  struct Level {
    Directory directory;
    std::string name;
  };
  std::vector<Level> stack;
  stack.push_back({std::move(top), ""});
  while (!stack.empty()) {
    const int here = ::dirfd(stack.back().directory.get());
    errno = 0;
    const dirent* entry = ::readdir(stack.back().directory.get());
    if (!entry) {
      if (errno != 0) return errnoError("readdir");
      const auto name = std::move(stack.back().name);
      stack.pop_back();
      if (stack.empty()) return {};
      if (unlinkEither(::dirfd(stack.back().directory.get()), name.c_str(), true) != 0) return errnoError(name);
      continue;
    }
    if (isDot(entry->d_name)) continue;
    struct stat st {};
    if (::fstatat(here, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISDIR(st.st_mode)) {
      if (unlinkEither(here, entry->d_name, false) != 0) return errnoError(entry->d_name);
      continue;
    }
    if (st.st_dev != device)
      return Error{Errc::Io, std::string(entry->d_name) + ": something is mounted here; unmount it first"};
    Directory below = openDirectory(here, entry->d_name);
    if (!below) return errnoError(entry->d_name);
    stack.push_back({std::move(below), entry->d_name});
  }
  return {};
}

}  // namespace

Result<void> removeTree(const std::string& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) return errno == ENOENT ? Result<void>() : errnoError(path);
  if (!S_ISDIR(st.st_mode)) return ::unlink(path.c_str()) == 0 ? Result<void>() : errnoError(path);
  Directory top = openDirectory(AT_FDCWD, path.c_str());
  if (!top) return errnoError(path);
  auto emptied = emptyDirectory(std::move(top), st.st_dev);
  if (!emptied.ok()) {
    emptied.error().message = path + ": " + emptied.error().message;
    return emptied;
  }
  return ::rmdir(path.c_str()) == 0 || errno == ENOENT ? Result<void>() : errnoError(path);
}

Result<std::int64_t> treeSize(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errnoError(path);
  GODWIT_ASSIGN(const auto tree, scanTree(fd.get(), {}));
  std::unordered_set<ino_t> seen;
  std::int64_t bytes = 0;
  for (const auto& entry : tree.entries) {
    if (entry.st.st_nlink < 2 || seen.insert(entry.st.st_ino).second) bytes += entry.st.st_blocks * 512;
  }
  return bytes;
}

}  // namespace godwit::standalone
