#include "base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/core.h>

namespace godwit {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int UniqueFd::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Pipe> makePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errnoError("pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<std::string> readFile(const std::filesystem::path& path, std::size_t limit) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errnoError(path.string());
  std::string out;
  char buffer[64 << 10];
  for (;;) {
    const auto n = ::read(fd.get(), buffer, sizeof buffer);
    if (n == 0) return out;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errnoError(path.string());
    out.append(buffer, static_cast<std::size_t>(n));
    if (out.size() > limit) return Error{Errc::Invalid, fmt::format("{}: larger than {} bytes", path.string(), limit)};
  }
}

Result<void> writeAll(int fd, std::string_view data) {
  while (!data.empty()) {
    const auto n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errnoError("write");
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

static Result<void> writeDurably(int fd, std::string_view data, unsigned mode) {
  if (::fchmod(fd, mode) != 0) return errnoError("fchmod");
  GODWIT_TRY(writeAll(fd, data));
  if (::fsync(fd) != 0) return errnoError("fsync");
  return {};
}

Result<void> writeFileAtomic(const std::filesystem::path& path, std::string_view data, unsigned mode) {
  std::string temporary = path.string() + ".XXXXXX";
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return errnoError(temporary);
  auto written = writeDurably(fd.get(), data, mode);
  if (written.ok() && ::rename(temporary.c_str(), path.c_str()) != 0)
    written = errnoError("rename to " + path.string());
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    written.error().message = path.string() + ": " + written.error().message;
    return written;
  }
  return syncDirectory(path.parent_path().empty() ? "." : path.parent_path());
}

Result<void> syncDirectory(const std::filesystem::path& dir) {
  UniqueFd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errnoError(dir.string());
  if (::fsync(fd.get()) != 0) return errnoError("fsync " + dir.string());
  return {};
}

}  // namespace godwit
