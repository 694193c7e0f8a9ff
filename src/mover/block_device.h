// A volume without a file system of ours: a block device, or in tests a regular file in its place.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace godwit::mover {

struct Volume {
  std::string path;
  bool block = false;  // else a directory
};

// What `data` names. The default, /data, means /dev/block where that is a block device (contract section 2). A regular
// file is a block volume only where `fileAsBlock` says so. Whether a directory can be opened is openVolume's to say.
Result<Volume> findVolume(const std::string& data, bool fileAsBlock);

// Asked between pieces of long work; its error ends the work.
using Pulse = std::function<Result<void>()>;

bool isZero(std::string_view bytes);

class BlockDevice {
 public:
  static Result<BlockDevice> openToRead(const std::string& path);
  // Exclusive: Conflict when the device is mounted or held by another on this node.
  static Result<BlockDevice> openToWrite(const std::string& path);

  std::uint64_t size() const { return size_; }
  UniqueFd descriptor() && { return std::move(fd_); }

  // Exactly `size` bytes; an error when the device has become smaller.
  Result<void> read(std::uint64_t offset, char* to, std::size_t size) const;
  Result<void> write(std::uint64_t offset, std::string_view bytes) const;
  // The range reads as zeroes afterwards: given back to the storage where it takes that, else written, but only where
  // it does not read as zeroes yet.
  Result<void> zero(std::uint64_t offset, std::uint64_t length, const Pulse& pulse);
  // Everything written is on stable storage.
  Result<void> sync() const;

  // What the storage knows without reading: from `offset` to `end` nothing was ever written, or something may have
  // been.
  struct Extent {
    bool hole;
    std::uint64_t end;
  };
  Extent extent(std::uint64_t offset) const;
  Result<bool> readsZero(std::uint64_t length, const Pulse& pulse) const;
  // The pages read from there will not be wanted again.
  void forget(std::uint64_t offset, std::uint64_t length) const;

 private:
  static Result<BlockDevice> open(const std::string& path, int flags);
  Result<void> overwrite(std::uint64_t offset, std::uint64_t length, std::string& buffer) const;

  UniqueFd fd_;
  std::string path_;
  std::uint64_t size_ = 0;
  bool device_ = false;  // else a regular file
  bool discards_ = true;
};

}  // namespace godwit::mover
