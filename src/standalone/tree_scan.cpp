#include "standalone/tree_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace godwit::standalone {

int openBeneath(int rootFd, const char* path, int flags, bool stayOnMount) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  if (stayOnMount) how.resolve |= RESOLVE_NO_XDEV;
  for (int attempt = 0;; ++attempt) {
    const auto fd = static_cast<int>(::syscall(SYS_openat2, rootFd, path, &how, sizeof how));
    if (fd >= 0 || errno != EAGAIN || attempt == 16) return fd;  // EAGAIN: a rename crossed the walk
  }
}

bool sameState(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_mode == b.st_mode && a.st_uid == b.st_uid && a.st_gid == b.st_gid &&
         a.st_size == b.st_size && a.st_nlink == b.st_nlink && a.st_rdev == b.st_rdev &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

namespace {

bool later(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

class Walk {
 public:
  Walk(int rootFd, const ScanOptions& options) : rootFd_(rootFd), options_(options) {}

  Result<Tree> run() {
    TreeEntry root;
    if (::fstat(rootFd_, &root.st) != 0) return errnoError("stat");
    add(std::move(root));
    // The list is its own queue: directories are read in the order they were found.
    for (std::size_t i = 0; i < tree_.entries.size(); ++i) {
      if (tree_.entries[i].directory() && !tree_.entries[i].barred) GODWIT_TRY(readDirectory(i));
    }
    return std::move(tree_);
  }

 private:
  void add(TreeEntry entry) {
    if (later(entry.st.st_ctim, tree_.newest)) tree_.newest = entry.st.st_ctim;
    tree_.entries.push_back(std::move(entry));
  }

  Result<void> readDirectory(std::size_t index) {
    const std::string path = tree_.entries[index].path;
    const char* name = path.empty() ? "." : path.c_str();
    const int fd = openBeneath(rootFd_, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, true);
    if (fd < 0 && errno == EXDEV) tree_.entries[index].barred = true;
    if (fd < 0 && (errno == EXDEV || errno == ENOENT || errno == ELOOP || errno == ENOTDIR)) return {};
    if (fd < 0) return errnoError(name);
    DIR* directory = ::fdopendir(fd);
    auto read = readEntries(directory, path);
    ::closedir(directory);
    return read;
  }

  Result<void> readEntries(DIR* directory, const std::string& path) {
    for (;;) {
      errno = 0;
      const dirent* found = ::readdir(directory);
      if (!found) return errno == 0 ? Result<void>() : errnoError(path);
      const std::string_view name = found->d_name;
      if (name == "." || name == "..") continue;
      TreeEntry entry;
      entry.path = path.empty() ? std::string(name) : path + "/" + found->d_name;
      if (::fstatat(::dirfd(directory), found->d_name, &entry.st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;
        return errnoError(entry.path);
      }
      if (skipped(entry, path.empty() && name == "lost+found")) continue;
      entry.barred = entry.directory() && entry.st.st_dev != tree_.entries.front().st.st_dev;
      add(std::move(entry));
    }
  }

  bool skipped(const TreeEntry& entry, bool lostAndFound) const {
    if (!entry.directory()) return false;
    if (lostAndFound && options_.skipLostAndFound) return true;
    return options_.exclude.st_ino != 0 && entry.st.st_ino == options_.exclude.st_ino &&
           entry.st.st_dev == options_.exclude.st_dev;
  }

  int rootFd_;
  const ScanOptions& options_;
  Tree tree_;
};

}  // namespace

Result<Tree> scanTree(int rootFd, const ScanOptions& options) {
  return Walk(rootFd, options).run();
}

}  // namespace godwit::standalone
