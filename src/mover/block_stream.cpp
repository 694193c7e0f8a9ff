#include "mover/block_stream.h"

namespace godwit::mover {

namespace {

// Finer grains would find more zeroes, and make a record of 13 bytes for each island of data between them.
constexpr std::size_t kGrain = 64 << 10;

}  // namespace

BlockStream::BlockStream(const BlockDevice& device) : device_(device), piece_(kMaxBlockData, '\0') {
  out_.reserve(kMaxBlockData + (64 << 10));
}

Result<std::optional<std::string_view>> BlockStream::next() {
  if (ended_) return std::optional<std::string_view>();
  out_.clear();
  if (!began_) encoder_.header(device_.size(), out_);
  began_ = true;
  GODWIT_TRY(step());
  sent_ += out_.size();
  return std::optional<std::string_view>(out_);
}

Result<void> BlockStream::step() {
  if (at_ == device_.size()) {
    flushZeros();
    digest_ = encoder_.trailer(out_);
    ended_ = true;
    return {};
  }
  if (at_ >= extentEnd_) {
    const auto extent = device_.extent(at_);
    extentEnd_ = extent.end;
    if (extent.hole) {
      if (zeros_ == 0) zerosFrom_ = at_;
      zeros_ += extent.end - at_;
      at_ = extent.end;
      return {};
    }
  }
  return readPiece();
}

// Up to the next multiple of a piece, so that reads stay aligned after a hole.
Result<void> BlockStream::readPiece() {
  const auto size = std::min(extentEnd_ - at_, kMaxBlockData - at_ % kMaxBlockData);
  GODWIT_TRY(device_.read(at_, piece_.data(), size));
  addGrains(std::string_view(piece_).substr(0, size));
  device_.forget(at_ - size, size);
  return {};
}

// Neighbouring grains of one kind become one record.
void BlockStream::addGrains(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto grain = std::min(bytes.size(), kGrain);
    if (isZero(bytes.substr(0, grain))) {
      if (zeros_ == 0) zerosFrom_ = at_;
      zeros_ += grain;
      at_ += grain;
      bytes.remove_prefix(grain);
      continue;
    }
    auto length = grain;
    while (length < bytes.size() && !isZero(bytes.substr(length, kGrain)))
      length += std::min(kGrain, bytes.size() - length);
    flushZeros();
    encoder_.data(at_, bytes.substr(0, length), out_);
    at_ += length;
    bytes.remove_prefix(length);
  }
}

void BlockStream::flushZeros() {
  if (zeros_ > 0) encoder_.zeros(zerosFrom_, zeros_, out_);
  zeros_ = 0;
}

}  // namespace godwit::mover
