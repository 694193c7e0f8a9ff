// The stream that carries a block device from source to destination (the standard input of `godwit-block SIZE`):
//
//   stream   = header record... trailer
//   header   = magic (8 bytes "GODWITBK") version (u32, 1) flags (u32, 0) size (u64, bytes of the device, not 0)
//   record   = data | zeros
//   data     = 'D' offset (u64) length (u32, 1 to 1 MiB) bytes
//   zeros    = 'Z' offset (u64) length (u64, not 0)
//   trailer  = 'E' records (u64) digest (32 bytes, SHA-256 of every byte of the stream before the digest)
//
// All numbers are little-endian. The records cover the device without gap or overlap: the first starts at 0, each at
// the end of the one before, the last ends at `size`. After the trailer comes the end of the stream. So a stream that
// was cut, however cleanly, is never taken for a whole one.
//
// When all is on stable storage the destination answers with one line of JSON, {"digest": HEX}, and exits with 0; the
// source compares the digest with its own.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_md_ctx_st;

namespace godwit::mover {

inline constexpr std::size_t kMaxBlockData = 1 << 20;
inline constexpr std::uint64_t kMaxBlockSize = (1ULL << 63) - 1;  // what an off_t holds

class Sha256 {
 public:
  static constexpr std::size_t kBytes = 32;
  using Digest = std::array<unsigned char, kBytes>;
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(std::string_view bytes);
  Digest finish();  // once, and last

 private:
  evp_md_ctx_st* context_;
};

std::string hex(const Sha256::Digest& digest);

// Appends a stream's parts to `out`. The caller keeps the order that the format asks for.
class BlockEncoder {
 public:
  void header(std::uint64_t size, std::string& out);
  void data(std::uint64_t offset, std::string_view bytes, std::string& out);
  void zeros(std::uint64_t offset, std::uint64_t length, std::string& out);
  Sha256::Digest trailer(std::string& out);

 private:
  void hash(const std::string& out, std::size_t from);
  Sha256 sha_;
  std::uint64_t records_ = 0;
};

// Reads up to `size` bytes, at least one; 0 at the end.
using ByteSource = std::function<Result<std::size_t>(char* to, std::size_t size)>;

struct BlockRecord {
  enum class Kind { Data, Zeros, End };
  Kind kind;
  std::uint64_t offset = 0, length = 0;
  std::string_view bytes;  // of Data; valid until the next call
};

// Takes a stream apart and holds it to the format. The first error is the last word: what was read before stands, the
// stream as a whole does not.
class BlockDecoder {
 public:
  explicit BlockDecoder(ByteSource from) : from_(std::move(from)) {}
  // The size that the header names. First, once.
  Result<std::uint64_t> header();
  // End comes once, when the digest is right and nothing follows.
  Result<BlockRecord> next();
  const Sha256::Digest& digest() const { return digest_; }  // after End

 private:
  Result<void> exactly(char* to, std::size_t size, const char* field);
  Result<std::uint64_t> integer(std::size_t bytes, const char* field);
  Result<BlockRecord> record(BlockRecord::Kind kind);
  Result<BlockRecord> trailer();

  ByteSource from_;
  Sha256 sha_;
  std::uint64_t size_ = 0, at_ = 0, records_ = 0;
  std::string buffer_;
  Sha256::Digest digest_{};
};

}  // namespace godwit::mover
