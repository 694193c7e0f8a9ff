#include "mover/block_receive.h"

#include <fmt/core.h>

namespace godwit::mover {

Result<void> checkFits(std::uint64_t room, std::uint64_t size) {
  if (size <= room) return {};
  return Error{
      Errc::Invalid,
      fmt::format("the destination's block volume has {} bytes, the source's {}: nothing was written; make the "
                  "destination's at least as large (spec.rsync.capacity, or a larger destinationPVC)",
                  room, size)};
}

Result<Sha256::Digest> receiveBlock(BlockDecoder& stream, std::uint64_t size, BlockDevice& device, const Pulse& pulse) {
  GODWIT_ASSIGN(const auto announced, stream.header());
  if (announced != size)
    return Error{Errc::Invalid, fmt::format("the block stream is for {} bytes, the command for {}", announced, size)};
  GODWIT_TRY(checkFits(device.size(), size));
  for (;;) {
    GODWIT_ASSIGN(const auto record, stream.next());
    if (record.kind == BlockRecord::Kind::End) break;
    if (record.kind == BlockRecord::Kind::Zeros) {
      GODWIT_TRY(device.zero(record.offset, record.length, pulse));
    } else {
      GODWIT_TRY(device.write(record.offset, record.bytes));
    }
  }
  GODWIT_TRY(device.sync());
  return stream.digest();
}

}  // namespace godwit::mover
