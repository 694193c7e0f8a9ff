#include "mover/block_device.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/core.h>

namespace godwit::mover {

namespace {

constexpr const char* kDefaultData = "/data";
constexpr const char* kBlockDevice = "/dev/block";
constexpr std::uint64_t kPiece = 1 << 20;
constexpr std::uint64_t kDiscardPiece = 1 << 30;  // a discard cannot be interrupted

bool isBlockDevice(const char* path) {
  struct stat st {};
  return ::stat(path, &st) == 0 && S_ISBLK(st.st_mode);
}

off_t asOffset(std::uint64_t offset) {
  return static_cast<off_t>(offset);
}

}  // namespace

Result<Volume> findVolume(const std::string& data, bool fileAsBlock) {
  if (data == kDefaultData && isBlockDevice(kBlockDevice)) return Volume{kBlockDevice, true};
  struct stat st {};
  const bool there = ::stat(data.c_str(), &st) == 0;
  if (there && (S_ISBLK(st.st_mode) || (fileAsBlock && S_ISREG(st.st_mode)))) return Volume{data, true};
  if (!fileAsBlock) return Volume{data, false};
  if (!there) return errnoError("the block volume " + data);
  return Error{Errc::Invalid, fmt::format("--block: {} is neither a block device nor a regular file", data)};
}

bool isZero(std::string_view bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

Result<BlockDevice> BlockDevice::open(const std::string& path, int flags) {
  BlockDevice out;
  out.path_ = path;
  out.fd_ = UniqueFd(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK));
  if (!out.fd_.valid() && errno == EBUSY)
    return Error{Errc::Conflict, fmt::format("the block volume {} is in use on this node: mounted, or held by another "
                                             "program",
                                             path)};
  if (!out.fd_.valid() && errno == EACCES && ::geteuid() != 0)
    return Error{Errc::Forbidden,
                 fmt::format("the block volume {}: permission denied; a mover that is not root needs a "
                             "device of its own group (containerd: "
                             "device_ownership_from_security_context)",
                             path)};
  if (!out.fd_.valid()) return errnoError("the block volume " + path);
  struct stat st {};
  if (::fstat(out.fd_.get(), &st) != 0) return errnoError("the block volume " + path);
  out.device_ = S_ISBLK(st.st_mode);
  if (out.device_ && ::ioctl(out.fd_.get(), BLKGETSIZE64, &out.size_) != 0) return errnoError("the size of " + path);
  if (!out.device_) out.size_ = S_ISREG(st.st_mode) ? static_cast<std::uint64_t>(st.st_size) : 0;
  if (out.size_ == 0) return Error{Errc::Invalid, fmt::format("the block volume {} has no bytes", path)};
  return out;
}

Result<BlockDevice> BlockDevice::openToRead(const std::string& path) {
  GODWIT_ASSIGN(auto out, open(path, O_RDONLY));
  ::posix_fadvise(out.fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return out;
}

Result<BlockDevice> BlockDevice::openToWrite(const std::string& path) {
  return open(path, O_RDWR | (isBlockDevice(path.c_str()) ? O_EXCL : 0));
}

Result<void> BlockDevice::read(std::uint64_t offset, char* to, std::size_t size) const {
  while (size > 0) {
    const auto n = ::pread(fd_.get(), to, size, asOffset(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errnoError(fmt::format("reading {} at byte {}", path_, offset));
    if (n == 0) return Error{Errc::Io, fmt::format("{} ended at byte {}: it has become smaller", path_, offset)};
    to += n;
    size -= static_cast<std::size_t>(n);
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<void> BlockDevice::write(std::uint64_t offset, std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), asOffset(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return errnoError(fmt::format("writing {} at byte {}", path_, offset), n < 0 ? errno : ENOSPC);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

// On a block device a hole is punched by unmapping, and only where the device promises that it reads as zeroes then.
Result<void> BlockDevice::zero(std::uint64_t offset, std::uint64_t length, const Pulse& pulse) {
  std::string buffer;
  while (length > 0) {
    GODWIT_TRY(pulse());
    const auto piece = std::min(length, discards_ ? kDiscardPiece : kPiece);
    if (discards_) {
      discards_ =
          ::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, asOffset(offset), asOffset(piece)) == 0;
      if (!discards_) continue;  // from here on written, in small pieces
    } else {
      GODWIT_TRY(overwrite(offset, piece, buffer));
    }
    offset += piece;
    length -= piece;
  }
  return {};
}

Result<void> BlockDevice::overwrite(std::uint64_t offset, std::uint64_t length, std::string& buffer) const {
  buffer.resize(length);
  GODWIT_TRY(read(offset, buffer.data(), length));
  if (isZero(buffer)) return {};
  std::uint64_t range[2] = {offset, length};
  if (device_ && ::ioctl(fd_.get(), BLKZEROOUT, range) == 0) return {};
  std::memset(buffer.data(), 0, length);
  return write(offset, buffer);
}

Result<void> BlockDevice::sync() const {
  if (::fsync(fd_.get()) != 0) return errnoError(fmt::format("writing {} to stable storage", path_));
  return {};
}

// A block device does not tell where its holes are: EINVAL.
BlockDevice::Extent BlockDevice::extent(std::uint64_t offset) const {
  const auto data = ::lseek(fd_.get(), asOffset(offset), SEEK_DATA);
  if (data < 0) return {errno == ENXIO, size_};
  if (static_cast<std::uint64_t>(data) > offset) return {true, std::min<std::uint64_t>(data, size_)};
  const auto hole = ::lseek(fd_.get(), asOffset(offset), SEEK_HOLE);
  return {false, hole > data ? std::min<std::uint64_t>(hole, size_) : size_};
}

Result<bool> BlockDevice::readsZero(std::uint64_t length, const Pulse& pulse) const {
  std::string buffer(kPiece, '\0');
  for (std::uint64_t at = 0; at < length;) {
    const auto known = extent(at);
    for (const auto end = std::min(known.end, length); !known.hole && at < end;) {
      GODWIT_TRY(pulse());
      const auto piece = std::min(end - at, kPiece);
      GODWIT_TRY(read(at, buffer.data(), piece));
      if (!isZero(std::string_view(buffer).substr(0, piece))) return false;
      forget(at, piece);
      at += piece;
    }
    at = std::max(at, known.end);
  }
  return true;
}

void BlockDevice::forget(std::uint64_t offset, std::uint64_t length) const {
  ::posix_fadvise(fd_.get(), asOffset(offset), asOffset(length), POSIX_FADV_DONTNEED);
}

}  // namespace godwit::mover
