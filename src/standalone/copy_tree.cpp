#include "standalone/copy_tree.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include <fmt/core.h>

#include "standalone/btrfs.h"
#include "standalone/copy_entry.h"
#include "standalone/tree_scan.h"

namespace godwit::standalone {

namespace {

constexpr long kTick = 20'000'000;  // ns; file systems stamp changes with a clock that moves every 1 to 10 ms

timespec coarseNow() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now;
}

bool later(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

timespec shifted(timespec t, long nanoseconds) {
  constexpr long kSecond = 1'000'000'000;
  t.tv_nsec += nanoseconds;
  if (t.tv_nsec < 0) t.tv_nsec += kSecond, --t.tv_sec;
  if (t.tv_nsec >= kSecond) t.tv_nsec -= kSecond, ++t.tv_sec;
  return t;
}

struct Scan {
  Tree tree;
  timespec begun{}, ended{};

  // Changed so shortly before the walk that a second change would bear the same time.
  bool ambiguous(const timespec& change) const {
    return later(change, shifted(begun, -kTick)) && !later(change, shifted(ended, kTick));
  }
};

std::string parentOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

const char* nameOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return path.c_str() + (slash == std::string::npos ? 0 : slash + 1);
}

const char* orDot(const std::string& path) {
  return path.empty() ? "." : path.c_str();
}

Result<std::int64_t> freeBytes(int directory) {
  struct statfs fs {};
  if (::fstatfs(directory, &fs) != 0) return errnoError("free space");
  return static_cast<std::int64_t>(fs.f_bavail) * fs.f_bsize;
}

bool sharesBlocks(int a, int b) {
  constexpr long kXfs = 0x58465342;
  struct statfs fs {};
  struct stat one {
  }, other{};
  if (::fstatfs(b, &fs) != 0 || ::fstat(a, &one) != 0 || ::fstat(b, &other) != 0) return false;
  return btrfs::sameFileSystem(a, b) || (fs.f_type == kXfs && one.st_dev == other.st_dev);
}

class TreeCopy {
 public:
  TreeCopy(UniqueFd from, UniqueFd to, std::string name, const CopyOptions& options)
      : from_(std::move(from)), to_(std::move(to)), name_(std::move(name)), options_(options), copier_(counters_) {}

  Result<CopyReport> run() {
    if (!options_.exclude.empty()) (void)::stat(options_.exclude.c_str(), &scanOptions_.exclude);
    Scan before;
    bool settled = false;
    for (int pass = 0;; ++pass) {
      GODWIT_ASSIGN(auto now, scan());
      auto changed = difference(before, now);
      settled = pass > 0 && changed.empty() && gone_.empty();
      if (settled || pass == options_.passes) break;
      if (pass == 0) GODWIT_TRY(checkSpace(now.tree));
      GODWIT_TRY(apply(now.tree, changed, pass == 0));
      before = std::move(now);
    }
    CopyReport report;
    report.entries = static_cast<std::int64_t>(before.tree.entries.size());
    report.bytes = counters_.bytes;
    report.notOwned = counters_.notOwned;
    report.notMade = counters_.notMade;
    report.notMarked = counters_.notMarked;
    report.pointInTime = settled ? PointInTime::Yes : PointInTime::No;
    return report;
  }

 private:
  using Entries = std::vector<const TreeEntry*>;

  Result<Scan> scan() {
    for (int attempt = 0;; ++attempt) {
      Scan out;
      out.begun = coarseNow();
      auto tree = scanTree(from_.get(), scanOptions_);
      if (!tree.ok()) return located(std::move(tree.error()), "");
      out.tree = *std::move(tree);
      out.ended = coarseNow();
      // One tick later the same walk is unambiguous, if nobody is writing all the time.
      if (attempt == 1 || !out.ambiguous(out.tree.newest)) return out;
      const timespec tick{0, kTick};
      ::nanosleep(&tick, nullptr);
    }
  }

  // What is new or changed, in walking order; what is gone goes into gone_.
  Entries difference(const Scan& before, const Scan& now) {
    std::unordered_map<std::string_view, const TreeEntry*> old;
    old.reserve(before.tree.entries.size());
    for (const auto& entry : before.tree.entries) old.emplace(entry.path, &entry);
    Entries changed;
    gone_.clear();
    for (const auto& entry : now.tree.entries) {
      const auto it = old.find(entry.path);
      const bool same = it != old.end() && sameState(it->second->st, entry.st) && !before.ambiguous(entry.st.st_ctim);
      if (!same) changed.push_back(&entry);
      if (it == old.end()) continue;
      if (it->second->directory() != entry.directory() || (!same && !entry.directory())) gone_.push_back(entry.path);
      old.erase(it);
    }
    for (const auto& [path, entry] : old) gone_.emplace_back(path);
    return changed;
  }

  // A copy by reference needs no space; only real copies are compared with what is free.
  Result<void> checkSpace(const Tree& tree) {
    if (sharesBlocks(from_.get(), to_.get())) return {};
    GODWIT_ASSIGN(auto available, freeBytes(to_.get()));
    if (!options_.below.empty()) {
      const UniqueFd below(::open(options_.below.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      GODWIT_ASSIGN(const auto there, freeBytes(below.get()));
      available = std::min(available, there);
    }
    std::unordered_set<ino_t> seen;
    std::int64_t needed = 0;
    for (const auto& entry : tree.entries) {
      if (entry.st.st_nlink < 2 || seen.insert(entry.st.st_ino).second) needed += entry.st.st_blocks * 512;
    }
    if (needed <= available) return {};
    return Error{Errc::Invalid,
                 fmt::format("{}: the copy needs {} bytes, but the pool has only {} free: free space or move the pool",
                             name_, needed, available)};
  }

  Result<void> apply(const Tree& now, const Entries& changed, bool first) {
    if (!first) GODWIT_TRY(openUp(now));
    GODWIT_TRY(removeGone());
    GODWIT_TRY(makeDirectories(changed));
    Entries files, links;
    std::unordered_map<ino_t, const TreeEntry*> originals;
    for (const auto* entry : changed) {
      if (entry->directory()) continue;
      const bool original = entry->st.st_nlink < 2 || originals.emplace(entry->st.st_ino, entry).second;
      (original ? files : links).push_back(entry);
    }
    GODWIT_TRY(copyFiles(files));
    for (const auto* link : links) {
      const auto& original = originals.at(link->st.st_ino)->path;
      if (::linkat(to_.get(), original.c_str(), to_.get(), link->path.c_str(), 0) != 0 && errno != ENOENT) {
        return located(errnoError("link"), link->path);
      }
    }
    return finishDirectories(now, first);
  }

  // An ordinary user's copy of a read-only directory is read-only as well. What is not there yet, or is no directory
  // yet, is made in this pass.
  Result<void> openUp(const Tree& now) {
    if (::geteuid() == 0) return {};
    for (const auto& entry : now.entries) {
      if (!entry.directory()) continue;
      const UniqueFd copy(openBeneath(to_.get(), orDot(entry.path), O_PATH | O_DIRECTORY | O_NOFOLLOW, false));
      if (!copy.valid()) continue;
      const auto itself = fmt::format("/proc/self/fd/{}", copy.get());
      if (::chmod(itself.c_str(), 0700) != 0) return located(errnoError("chmod"), entry.path);
    }
    return {};
  }

  Result<void> removeGone() {
    // Longest first: what is in a directory goes before it.
    std::sort(gone_.begin(), gone_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    for (const auto& path : gone_) {
      if (::unlinkat(to_.get(), path.c_str(), 0) == 0 || errno == ENOENT || errno == ENOTDIR) continue;
      if (errno != EISDIR && errno != EPERM) return located(errnoError("remove"), path);
      if (::unlinkat(to_.get(), path.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        return located(errnoError("remove"), path);
    }
    return {};
  }

  Result<void> makeDirectories(const Entries& changed) {
    for (const auto* entry : changed) {
      if (!entry->directory() || entry->path.empty()) continue;
      if (::mkdirat(to_.get(), entry->path.c_str(), 0700) != 0 && errno != EEXIST)
        return located(errnoError("mkdir"), entry->path);
    }
    return {};
  }

  // Siblings lie together: a batch opens its directory once for many files.
  Result<void> copyFiles(const Entries& files) {
    constexpr std::size_t kBatch = 128;
    std::atomic<std::size_t> next{0};
    std::atomic<bool> failed{false};
    std::mutex mutex;
    Result<void> outcome;
    const auto work = [&] {
      for (;;) {
        const auto begin = next.fetch_add(kBatch);
        if (begin >= files.size() || failed) return;
        auto done = copyBatch(files, begin, std::min(begin + kBatch, files.size()));
        if (done.ok()) continue;
        const std::lock_guard lock(mutex);
        if (!failed.exchange(true)) outcome = std::move(done);
      }
    };
    std::vector<std::jthread> helpers;
    const auto wanted =
        std::min<std::size_t>(static_cast<std::size_t>(std::max(1, options_.threads)), files.size() / kBatch + 1);
    for (std::size_t i = 1; i < wanted; ++i) helpers.emplace_back(work);
    work();
    helpers.clear();
    return outcome;
  }

  Result<void> copyBatch(const Entries& files, std::size_t begin, std::size_t end) {
    std::string parent;
    UniqueFd from, to;
    for (std::size_t i = begin; i < end; ++i) {
      const auto& path = files[i]->path;
      if (auto dir = parentOf(path); !from.valid() || dir != parent) {
        parent = std::move(dir);
        from = UniqueFd(openBeneath(from_.get(), orDot(parent), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, true));
        to = UniqueFd(openBeneath(to_.get(), orDot(parent), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, false));
      }
      if (!from.valid() || !to.valid()) continue;  // replaced or gone since the walk: the next one tells
      auto copied = copier_.copy(from.get(), to.get(), nameOf(path), files[i]->st);
      if (!copied.ok()) return located(std::move(copied.error()), path);
    }
    return {};
  }

  Result<void> finishDirectories(const Tree& now, bool first) {
    for (auto it = now.entries.rbegin(); it != now.entries.rend(); ++it) {
      if (!it->directory()) continue;
      const UniqueFd from(openBeneath(from_.get(), orDot(it->path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, !it->barred));
      const UniqueFd to(openBeneath(to_.get(), orDot(it->path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, false));
      if (!from.valid() || !to.valid()) continue;
      auto finished = copier_.finishDirectory(from.get(), to.get(), it->st, first);
      if (!finished.ok()) return located(std::move(finished.error()), it->path);
    }
    return {};
  }

  Error located(Error error, const std::string& path) const {
    error.message = name_ + (path.empty() ? "" : "/" + path) + ": " + error.message;
    return error;
  }

  UniqueFd from_, to_;
  std::string name_;
  const CopyOptions& options_;
  ScanOptions scanOptions_;
  CopyCounters counters_;
  EntryCopier copier_;
  std::vector<std::string> gone_;
};

// A source that was deleted or replaced during the copy would look like one that emptied itself.
Result<void> stillThere(const std::string& path, const struct stat& opened) {
  struct stat now {};
  if (::stat(path.c_str(), &now) == 0 && now.st_ino == opened.st_ino && now.st_dev == opened.st_dev) return {};
  return Error{Errc::NotFound, path + ": was removed or replaced while it was copied"};
}

}  // namespace

Result<CopyReport> copyTree(const std::string& from, const std::string& to, const CopyOptions& options) {
  UniqueFd source(::open(from.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!source.valid()) return errnoError(from);
  struct stat opened {};
  if (::fstat(source.get(), &opened) != 0) return errnoError(from);
  UniqueFd target(::open(to.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!target.valid()) return errnoError(to);
  (void)::fremovexattr(target.get(), "system.posix_acl_default");  // inherited from the pool: not the source's
  auto report = TreeCopy(std::move(source), std::move(target), from, options).run();
  ::malloc_trim(0);  // the walks of a large tree are tens of megabytes that nobody needs again
  if (report.ok()) GODWIT_TRY(stillThere(from, opened));
  return report;
}

}  // namespace godwit::standalone
