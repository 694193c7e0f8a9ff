#include "mover/confine.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <memory>
#include <vector>

#include <fmt/core.h>

namespace godwit::mover {

namespace {

std::vector<std::string> components(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto part = path.substr(0, end);
    if (!part.empty() && part != ".") out.emplace_back(part);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return out;
}

UniqueFd openInside(int directory, const char* path, int flags) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how)));
}

Error refused(const std::string& path) {
  if (errno == ELOOP) {
    return {Errc::Forbidden, fmt::format("{}: a component is a symbolic link; name the real directory", path)};
  }
  if (errno == EXDEV) return {Errc::Forbidden, fmt::format("{}: leads out of the volume", path)};
  return errnoError(path);
}

}  // namespace

Result<std::string> confineName(std::string_view given) {
  if (given.size() >= PATH_MAX) return Error{Errc::Invalid, fmt::format("path is longer than {} bytes", PATH_MAX - 1)};
  if (given.find('\0') != std::string_view::npos) return Error{Errc::Invalid, "path contains a NUL byte"};
  std::string out = ".";
  for (const auto& part : components(given)) {
    if (part == "..")
      return Error{Errc::Forbidden, fmt::format("path {} contains \"..\": only the volume can be named", given)};
    if (part.size() > NAME_MAX)
      return Error{Errc::Invalid, fmt::format("path {} has a name over {} bytes", given, NAME_MAX)};
    out += "/" + part;
  }
  if (out.size() > 1 && (given.back() == '/' || given.ends_with("/."))) out += '/';
  return out;
}

Result<UniqueFd> openVolume(const std::string& data) {
  UniqueFd fd(::open(data.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    auto error = errnoError("the volume " + data);
    error.message += "; is it mounted, and does --data name its directory?";
    return error;
  }
  return fd;
}

Result<void> checkBeneath(int volume, const std::string& relative) {
  std::string walked = ".";
  for (const auto& part : components(relative)) {
    walked += "/" + part;
    const auto fd = openInside(volume, walked.c_str(), O_PATH);
    if (!fd.valid() && errno == ENOENT) return {};
    if (!fd.valid()) return refused(walked);
    struct stat st {};
    // O_PATH with NO_SYMLINKS still refuses a final link on every kernel that has openat2; this guards the rule itself.
    if (::fstat(fd.get(), &st) != 0) return errnoError(walked);
    if (S_ISLNK(st.st_mode)) return errno = ELOOP, refused(walked);
  }
  return {};
}

Result<void> makeBeneath(int volume, const std::string& relative) {
  UniqueFd at = openInside(volume, ".", O_PATH | O_DIRECTORY);
  if (!at.valid()) return errnoError("the volume");
  for (const auto& part : components(relative)) {
    if (::mkdirat(at.get(), part.c_str(), 0755) != 0 && errno != EEXIST) return errnoError(relative);
    UniqueFd next = openInside(at.get(), part.c_str(), O_PATH | O_DIRECTORY);
    if (!next.valid()) return refused(relative);
    at = std::move(next);
  }
  return {};
}

Result<UniqueFd> openBeneath(int volume, const std::string& relative) {
  auto fd = openInside(volume, relative.c_str(), O_RDONLY | O_DIRECTORY);
  if (!fd.valid()) return refused(relative);
  return fd;
}

Result<std::size_t> countEntries(int directory, bool isRoot, std::size_t limit) {
  UniqueFd own(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own.valid()) return errnoError("opening a directory");
  std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(own.get()), ::closedir);
  if (!dir) return errnoError("reading a directory");
  own.release();
  std::size_t count = 0;
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || (isRoot && name == "lost+found")) continue;
    if (++count >= limit) return count;
  }
  if (errno != 0) return errnoError("reading a directory");
  return count;
}

}  // namespace godwit::mover
