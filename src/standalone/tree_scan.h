// What is in a tree, as one walk saw it.
#pragma once
#include <sys/stat.h>

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace godwit::standalone {

struct TreeEntry {
  std::string path;  // relative; the root itself is ""
  struct stat st {};
  bool barred = false;  // a directory on another file system: copied empty

  bool directory() const { return S_ISDIR(st.st_mode); }
};

struct Tree {
  std::vector<TreeEntry> entries;  // a directory comes before what is in it, siblings together
  timespec newest{};               // the latest change of anything
};

struct ScanOptions {
  bool skipLostAndFound = true;  // at the root
  struct stat exclude {};        // the directory to leave out; st_ino 0: none
};

// Never follows a symlink, never enters a mount. What vanishes during the walk is left out.
Result<Tree> scanTree(int rootFd, const ScanOptions& options);

// The same entry, unchanged: type, mode, owner, size, times, links and inode.
bool sameState(const struct stat& a, const struct stat& b);

// Opens beneath `rootFd` without following any symlink; ELOOP, EXDEV and ENOENT as openat2 gives them. -1 with errno.
int openBeneath(int rootFd, const char* path, int flags, bool stayOnMount);

}  // namespace godwit::standalone
