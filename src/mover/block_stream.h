// A block device as the stream of block_format.h, made piece by piece while it is sent.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "mover/block_device.h"
#include "mover/block_format.h"

namespace godwit::mover {

class BlockStream {
 public:
  explicit BlockStream(const BlockDevice& device);

  // The next bytes of the stream, valid until the next call: nothing after the last, and empty where a stretch of
  // zeroes gave nothing to send yet.
  Result<std::optional<std::string_view>> next();

  std::uint64_t at() const { return at_; }                  // bytes of the device that are dealt with
  std::uint64_t sent() const { return sent_; }              // bytes of the stream
  const Sha256::Digest& digest() const { return digest_; }  // once the stream has ended

 private:
  Result<void> step();
  Result<void> readPiece();
  void addGrains(std::string_view bytes);
  void flushZeros();

  const BlockDevice& device_;
  BlockEncoder encoder_;
  std::string piece_, out_;
  std::uint64_t at_ = 0, sent_ = 0;
  std::uint64_t extentEnd_ = 0;              // where what is known of holes ends
  std::uint64_t zerosFrom_ = 0, zeros_ = 0;  // the run that is still growing
  bool began_ = false, ended_ = false;
  Sha256::Digest digest_{};
};

}  // namespace godwit::mover
