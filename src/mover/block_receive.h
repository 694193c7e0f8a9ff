// The receiving half of a block transfer.
#pragma once
#include "mover/block_device.h"
#include "mover/block_format.h"

namespace godwit::mover {

// Invalid when `size` bytes do not fit into a device of `room`; nothing has been written then.
Result<void> checkFits(std::uint64_t room, std::uint64_t size);

// Writes a whole stream, whose header must name `size`, to the device and to stable storage. What lies on the device
// behind `size` stays as it is. The stream's digest; any error means that the device holds no replica.
Result<Sha256::Digest> receiveBlock(BlockDecoder& stream, std::uint64_t size, BlockDevice& device, const Pulse& pulse);

}  // namespace godwit::mover
