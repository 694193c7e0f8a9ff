#include "mover/block_format.h"

#include <openssl/evp.h>

#include <new>

#include <fmt/core.h>

namespace godwit::mover {

namespace {

constexpr std::string_view kMagic = "GODWITBK";
constexpr std::uint32_t kVersion = 1;
enum Tag : char { kData = 'D', kZeros = 'Z', kEnd = 'E' };

void append(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (; bytes > 0; --bytes, value >>= 8) out += static_cast<char>(value & 0xff);
}

Error malformed(std::string what) {
  return {Errc::Invalid, "the block stream is malformed: " + std::move(what)};
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(context_);
}

void Sha256::update(std::string_view bytes) {
  EVP_DigestUpdate(context_, bytes.data(), bytes.size());
}

Sha256::Digest Sha256::finish() {
  Digest out{};
  EVP_DigestFinal_ex(context_, out.data(), nullptr);
  return out;
}

std::string hex(const Sha256::Digest& digest) {
  std::string out;
  for (const auto byte : digest) out += fmt::format("{:02x}", byte);
  return out;
}

void BlockEncoder::hash(const std::string& out, std::size_t from) {
  sha_.update(std::string_view(out).substr(from));
}

void BlockEncoder::header(std::uint64_t size, std::string& out) {
  const auto from = out.size();
  out += kMagic;
  append(out, kVersion, 4);
  append(out, 0, 4);
  append(out, size, 8);
  hash(out, from);
}

void BlockEncoder::data(std::uint64_t offset, std::string_view bytes, std::string& out) {
  const auto from = out.size();
  out += kData;
  append(out, offset, 8);
  append(out, bytes.size(), 4);
  out += bytes;
  hash(out, from);
  ++records_;
}

void BlockEncoder::zeros(std::uint64_t offset, std::uint64_t length, std::string& out) {
  const auto from = out.size();
  out += kZeros;
  append(out, offset, 8);
  append(out, length, 8);
  hash(out, from);
  ++records_;
}

Sha256::Digest BlockEncoder::trailer(std::string& out) {
  const auto from = out.size();
  out += kEnd;
  append(out, records_, 8);
  hash(out, from);
  const auto digest = sha_.finish();
  out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return digest;
}

Result<void> BlockDecoder::exactly(char* to, std::size_t size, const char* field) {
  for (std::size_t got = 0; got < size;) {
    GODWIT_ASSIGN(const auto n, from_(to + got, size - got));
    if (n == 0)
      return Error{Errc::Invalid, fmt::format("the block stream was cut at byte {} of {}: {}", at_, size_, field)};
    got += n;
  }
  return {};
}

Result<std::uint64_t> BlockDecoder::integer(std::size_t bytes, const char* field) {
  char raw[8];
  GODWIT_TRY(exactly(raw, bytes, field));
  sha_.update({raw, bytes});
  std::uint64_t value = 0;
  for (auto i = bytes; i > 0; --i) value = value << 8 | static_cast<unsigned char>(raw[i - 1]);
  return value;
}

Result<std::uint64_t> BlockDecoder::header() {
  char magic[kMagic.size()];
  GODWIT_TRY(exactly(magic, sizeof magic, "magic"));
  if (kMagic != std::string_view(magic, sizeof magic))
    return malformed("it does not begin with " + std::string(kMagic));
  sha_.update({magic, sizeof magic});
  GODWIT_ASSIGN(const auto version, integer(4, "version"));
  if (version != kVersion)
    return Error{Errc::Unsupported,
                 fmt::format("block stream version {}: this end knows {}; update the older Godwit", version, kVersion)};
  GODWIT_ASSIGN(const auto flags, integer(4, "flags"));
  if (flags != 0) return malformed(fmt::format("unknown flags {:#x}", flags));
  GODWIT_ASSIGN(size_, integer(8, "size"));
  if (size_ == 0 || size_ > kMaxBlockSize) return malformed(fmt::format("size {}", size_));
  return size_;
}

Result<BlockRecord> BlockDecoder::next() {
  GODWIT_ASSIGN(const auto tag, integer(1, "tag"));
  switch (static_cast<char>(tag)) {
    case kData:
      return record(BlockRecord::Kind::Data);
    case kZeros:
      return record(BlockRecord::Kind::Zeros);
    case kEnd:
      return trailer();
    default:
      return malformed(fmt::format("tag {:#x} at byte {} of the device", tag, at_));
  }
}

Result<BlockRecord> BlockDecoder::record(BlockRecord::Kind kind) {
  const bool data = kind == BlockRecord::Kind::Data;
  BlockRecord out{kind};
  GODWIT_ASSIGN(out.offset, integer(8, "offset"));
  GODWIT_ASSIGN(out.length, integer(data ? 4 : 8, "length"));
  if (out.offset != at_) return malformed(fmt::format("offset {} where {} comes next", out.offset, at_));
  if (out.length == 0 || out.length > size_ - at_ || (data && out.length > kMaxBlockData))
    return malformed(fmt::format("length {} at offset {} of {}", out.length, at_, size_));
  if (data) {
    if (buffer_.size() < out.length) buffer_.resize(out.length);
    GODWIT_TRY(exactly(buffer_.data(), out.length, "data"));
    out.bytes = std::string_view(buffer_).substr(0, out.length);
    sha_.update(out.bytes);
  }
  at_ += out.length;
  ++records_;
  return out;
}

Result<BlockRecord> BlockDecoder::trailer() {
  GODWIT_ASSIGN(const auto records, integer(8, "number of records"));
  if (at_ != size_) return malformed(fmt::format("it ends at byte {} of {}", at_, size_));
  if (records != records_) return malformed(fmt::format("{} records where {} were sent", records_, records));
  digest_ = sha_.finish();
  Sha256::Digest theirs{};
  GODWIT_TRY(exactly(reinterpret_cast<char*>(theirs.data()), theirs.size(), "digest"));
  if (theirs != digest_) return Error{Errc::Invalid, "the block stream's digest is wrong: it was changed on its way"};
  char more;
  GODWIT_ASSIGN(const auto n, from_(&more, 1));
  if (n != 0) return malformed("something follows its trailer");
  return BlockRecord{BlockRecord::Kind::End, size_, 0, {}};
}

}  // namespace godwit::mover
