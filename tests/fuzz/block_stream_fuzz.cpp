// What a peer streams to a block device. Whatever is accepted lies within the device, in order, and a stream is whole
// only when it covers all of it.
#include <cstring>

#include "fuzz/fuzz.h"
#include "mover/block_format.h"

using namespace godwit;
using namespace godwit::mover;

static std::string small() {
  BlockEncoder encoder;
  std::string out;
  encoder.header(300, out);
  encoder.data(0, "boot", out);
  encoder.zeros(4, 200, out);
  encoder.data(204, std::string(96, 'x'), out);
  encoder.trailer(out);
  return out;
}

static std::string empty() {
  BlockEncoder encoder;
  std::string out;
  encoder.header(kMaxBlockSize, out);
  encoder.zeros(0, kMaxBlockSize, out);
  encoder.trailer(out);
  return out;
}

GODWIT_FUZZ_TARGET(blockStream, small(), empty()) {
  std::string_view left = input;
  BlockDecoder decoder([&](char* to, std::size_t size) -> Result<std::size_t> {
    const auto n = std::min(size, left.size());
    std::memcpy(to, left.data(), n);
    left.remove_prefix(n);
    return n;
  });
  const auto size = decoder.header();
  if (!size.ok()) return;
  std::uint64_t at = 0;
  for (;;) {
    const auto record = decoder.next();
    if (!record.ok()) return fuzz::require(!record.error().message.empty(), "a refusal without a message");
    if (record->kind == BlockRecord::Kind::End) break;
    fuzz::require(record->offset == at && record->length > 0 && record->length <= *size - at, "a record out of place");
    if (record->kind == BlockRecord::Kind::Data)
      fuzz::require(record->bytes.size() == record->length && record->length <= kMaxBlockData, "a record too long");
    at += record->length;
  }
  fuzz::require(at == *size, "a hole in the replica");
  fuzz::require(left.empty(), "something follows the stream");
}
