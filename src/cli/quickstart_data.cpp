#include "cli/quickstart_data.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/fd.h"
#include "base/process.h"

namespace godwit::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kEnoughEntries = 20000, kEnoughBytes = 400 << 20;
constexpr std::array kOrigins{"/usr/share/doc", "/usr/include",     "/usr/share/zoneinfo", "/usr/share/perl",
                              "/usr/share/man", "/usr/lib/python3", "/usr/share"};

constexpr int kSomeNotRead = 23, kSomeVanished = 24;  // rsync(1), EXIT VALUES

Result<void> copyInto(const fs::path& volume, const std::string& origin) {
  GODWIT_ASSIGN(const auto done,
                runProcess({.argv = {"rsync", "-aH", "--one-file-system", origin, volume.string() + "/"}}, {},
                           std::chrono::minutes(10)));
  if (done.status.success() || done.status.code == kSomeNotRead || done.status.code == kSomeVanished) return {};
  return Error{Errc::Io, fmt::format("rsync {} {}: {}", origin, volume.string(), done.err)};
}

// A hard link, a dangling link and a file with a hole: what copies tend to lose.
Result<void> addSpecials(const fs::path& volume) {
  const auto dir = volume / "specials";
  std::error_code failed;
  fs::create_directory(dir, failed);
  GODWIT_TRY(writeFileAtomic(dir / "a name with\na newline", "two links to one file\n"));
  fs::create_hard_link(dir / "a name with\na newline", dir / "its twin", failed);
  fs::create_symlink("nowhere", dir / "dangling", failed);
  const UniqueFd sparse(::open((dir / "sparse").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  if (!sparse.valid() || ::ftruncate(sparse.get(), 64 << 20) != 0)
    return errnoError("cannot make " + (dir / "sparse").string());
  return writeAll(sparse.get(), "the rest of these 64 MiB is a hole\n");
}

// The first `count` regular, writable, not empty files below `dir`, in the order of their names.
std::vector<fs::path> someFiles(const fs::path& dir, std::size_t count) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::recursive_directory_iterator it(dir, failed), end; !failed && it != end; it.increment(failed)) {
    struct stat info;
    if (::lstat(it->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink != 1 || info.st_size == 0)
      continue;
    if (::access(it->path().c_str(), W_OK) == 0) files.push_back(it->path());
    if (files.size() >= 1000) break;
  }
  std::sort(files.begin(), files.end());
  files.resize(std::min(files.size(), count));
  return files;
}

}  // namespace

Contents measure(const fs::path& volume) {
  Contents contents;
  std::error_code failed;
  for (fs::recursive_directory_iterator it(volume, failed), end; !failed && it != end; it.increment(failed)) {
    ++contents.entries;
    std::error_code ignored;
    if (it->is_regular_file(ignored) && !it->is_symlink(ignored))
      contents.bytes += static_cast<std::int64_t>(it->file_size(ignored));
  }
  return contents;
}

Result<Contents> fillVolume(const fs::path& volume) {
  GODWIT_TRY(addSpecials(volume));
  Contents contents;
  std::string from;
  for (const std::string origin : kOrigins) {
    std::error_code failed;
    if (!fs::is_directory(origin, failed)) continue;
    GODWIT_TRY(copyInto(volume, origin));
    from += (from.empty() ? "" : ", ") + origin;
    contents = measure(volume);
    if (contents.entries >= kEnoughEntries || contents.bytes >= kEnoughBytes) break;
  }
  contents.from = from;
  return contents;
}

Result<std::string> changeVolume(const fs::path& volume) {
  const auto files = someFiles(volume, 2);
  if (files.size() < 2) return Error{Errc::Internal, volume.string() + ": fewer than two files to change"};
  const UniqueFd edited(::open(files[0].c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (!edited.valid()) return errnoError("cannot open " + files[0].string());
  GODWIT_TRY(writeAll(edited.get(), "one line more\n"));
  if (::unlink(files[1].c_str()) != 0) return errnoError("cannot delete " + files[1].string());
  std::error_code failed;
  fs::create_directory(volume / "added", failed);
  for (const auto* name : {"one", "two", "three"}) GODWIT_TRY(writeFileAtomic(volume / "added" / name, "new here\n"));
  return fmt::format("edited {}, deleted {}, added added/one, two, three", files[0].lexically_relative(volume).string(),
                     files[1].lexically_relative(volume).string());
}

Result<void> awaitLink(const fs::path& link, const std::string& name) {
  const SystemClock clock;
  const auto deadline = clock.monotonic() + std::chrono::seconds(10);
  const UniqueFd changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!changes.valid()) return errnoError("inotify_init1");
  if (::inotify_add_watch(changes.get(), link.parent_path().c_str(), IN_MOVED_TO | IN_CREATE) < 0) {
    return errnoError("cannot watch " + link.parent_path().string());
  }
  for (;;) {
    std::error_code failed;
    if (fs::read_symlink(link, failed).filename() == name) return {};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock.monotonic()).count();
    if (left <= 0) return Error{Errc::Timeout, fmt::format("{} does not point to {} after 10 s", link.string(), name)};
    pollfd event{changes.get(), POLLIN, 0};
    ::poll(&event, 1, static_cast<int>(left));
    alignas(inotify_event) char drained[4096];
    while (::read(changes.get(), drained, sizeof drained) > 0) {
    }
  }
}

Result<std::string> differences(const fs::path& source, const fs::path& replica) {
  GODWIT_ASSIGN(const auto done,
                runProcess({.argv = {"rsync", "-anAHXSc", "--delete", "--itemize-changes", "--exclude=/lost+found",
                                     source.string() + "/", replica.string() + "/"}},
                           {}, std::chrono::minutes(10)));
  if (!done.status.success()) return Error{Errc::Io, "cannot compare: rsync: " + done.err};
  return done.out;
}

}  // namespace godwit::cli
