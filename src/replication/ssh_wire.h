// The few shapes of RFC 4251 section 5 that key files are made of.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace godwit::replication {

class WireWriter {
 public:
  WireWriter& u32(std::uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) out_ += static_cast<char>(v >> shift);
    return *this;
  }
  WireWriter& bytes(std::string_view s) {
    u32(static_cast<std::uint32_t>(s.size()));
    out_ += s;
    return *this;
  }
  // A non-negative big-endian integer: no leading zeros, except one where the top bit is set.
  WireWriter& mpint(std::string_view bigEndian) {
    while (!bigEndian.empty() && bigEndian.front() == 0) bigEndian.remove_prefix(1);
    const bool pad = !bigEndian.empty() && (static_cast<unsigned char>(bigEndian.front()) & 0x80);
    u32(static_cast<std::uint32_t>(bigEndian.size() + pad));
    if (pad) out_ += '\0';
    out_ += bigEndian;
    return *this;
  }
  WireWriter& raw(std::string_view s) {
    out_ += s;
    return *this;
  }
  const std::string& str() const { return out_; }

 private:
  std::string out_;
};

// Reads what an untrusted file holds; nullopt where it is too short.
class WireReader {
 public:
  explicit WireReader(std::string_view in) : in_(in) {}
  std::optional<std::uint32_t> u32() {
    if (in_.size() < 4) return std::nullopt;
    std::uint32_t v = 0;
    for (int i = 0; i < 4; ++i) v = v << 8 | static_cast<unsigned char>(in_[static_cast<std::size_t>(i)]);
    in_.remove_prefix(4);
    return v;
  }
  std::optional<std::string_view> bytes() {
    const auto size = u32();
    if (!size || in_.size() < *size) return std::nullopt;
    const auto out = in_.substr(0, *size);
    in_.remove_prefix(*size);
    return out;
  }
  std::size_t left() const { return in_.size(); }

 private:
  std::string_view in_;
};

}  // namespace godwit::replication
