// A tree of files copied so that nobody can tell the copy from the original: what `rsync -aHAX` keeps, and holes.
#pragma once
#include <sys/types.h>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "standalone/volumes.h"

namespace godwit::standalone {

struct CopyOptions {
  int threads = 2;
  int passes = 6;       // the most, before a tree that keeps changing is called so
  std::string exclude;  // a directory that is left out wherever it appears (the pool itself); empty: none
  std::string below;    // a directory on the file system that holds the image `to` lies in; empty: there is none
};

struct CopyReport {
  std::int64_t entries = 0;                    // at the last pass
  std::int64_t bytes = 0;                      // of regular files that were copied, over all passes
  std::int64_t notOwned = 0;                   // entries whose owner could not be kept (an ordinary user's copy)
  std::int64_t notMade = 0;                    // devices that could not be made
  std::int64_t notMarked = 0;                  // extended attributes or ACLs that could not be kept
  PointInTime pointInTime = PointInTime::Yes;  // No: something changed during every pass
};

// Copies what is below `from` into `to`, an existing empty directory that nobody else writes to, and gives `to` the
// metadata of `from`. Symlinks are copied, never followed; other file systems are left out, as is lost+found at the
// root; files that vanish are left out. Passes are repeated for what changed until between two of them nothing did.
// Changes made only through a memory map are noticed when the kernel writes them back.
// Errors: what cannot be read or written, with its path; `from` is replaced or removed meanwhile; no space.
Result<CopyReport> copyTree(const std::string& from, const std::string& to, const CopyOptions& options = {});

// Removes a tree, whatever its modes; symlinks are not followed, mounts not entered. Absent is fine.
Result<void> removeTree(const std::string& path);

// Bytes that the files of a tree occupy (st_blocks), hard links once.
Result<std::int64_t> treeSize(const std::string& path);

}  // namespace godwit::standalone
