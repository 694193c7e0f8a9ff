// One entry of a tree copied: data with its holes, owner, mode, attributes, ACLs and times.
#pragma once
#include <atomic>

#include "standalone/tree_scan.h"

namespace godwit::standalone {

struct CopyCounters {
  std::atomic<std::int64_t> bytes{0}, notOwned{0}, notMade{0}, notMarked{0};
};

// Thread-safe: what it learns (reflinks work here, copy_file_range does not) is shared.
class EntryCopier {
 public:
  explicit EntryCopier(CopyCounters& counters) : counters_(counters) {}

  // Makes `name` in `toDir` from `name` in `fromDir`, which was `seen`. It must not exist yet (hard links are the
  // caller's). False: it vanished or became something else, and the caller's next walk will tell.
  Result<bool> copy(int fromDir, int toDir, const char* name, const struct stat& seen);
  // The metadata of an existing directory; `fresh`: it has been made by us and has no attributes of its own yet.
  Result<void> finishDirectory(int from, int to, const struct stat& seen, bool fresh);

 private:
  Result<bool> copyRegular(int fromDir, int toDir, const char* name, const struct stat& seen);
  Result<bool> copySymlink(int fromDir, int toDir, const char* name);
  Result<bool> makeSpecial(int toDir, const char* name, const struct stat& seen);
  Result<void> copyData(int from, int to, const struct stat& seen);
  Result<void> copyRange(int from, int to, off_t offset, off_t end);
  Result<bool> copyRangeInKernel(int from, int to, off_t& offset, off_t end);

  CopyCounters& counters_;
  std::atomic<bool> reflinks_{true}, inKernel_{true};
};

}  // namespace godwit::standalone
