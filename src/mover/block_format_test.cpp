#include "mover/block_format.h"

#include <gmock/gmock.h>

#include <cstring>

namespace godwit::mover {
namespace {

using Kind = BlockRecord::Kind;

ByteSource bytesOf(std::string_view text, std::size_t most = 3) {
  return [text, most, at = std::size_t{0}](char* to, std::size_t size) mutable -> Result<std::size_t> {
    const auto n = std::min({size, most, text.size() - at});
    std::memcpy(to, text.data() + at, n);
    at += n;
    return n;
  };
}

// The device that the stream describes; its error when it is not whole.
Result<std::string> decode(std::string_view stream) {
  BlockDecoder decoder(bytesOf(stream));
  std::string device;
  GODWIT_TRY(decoder.header());
  for (;;) {
    GODWIT_ASSIGN(const auto record, decoder.next());
    if (record.kind == Kind::End) return device;
    device += record.kind == Kind::Data ? std::string(record.bytes) : std::string(record.length, '\0');
  }
}

std::string wholeStream() {
  BlockEncoder encoder;
  std::string out;
  encoder.header(12, out);
  encoder.data(0, "abcd", out);
  encoder.zeros(4, 6, out);
  encoder.data(10, "ef", out);
  encoder.trailer(out);
  return out;
}

// A header for 12 bytes and what `fill` makes of the rest.
std::string streamOf(const std::function<void(BlockEncoder&, std::string&)>& fill) {
  BlockEncoder encoder;
  std::string out;
  encoder.header(12, out);
  fill(encoder, out);
  return out;
}

std::string refusal(const std::string& stream) {
  const auto result = decode(stream);
  return result.ok() ? "accepted" : result.error().message;
}

TEST(BlockFormat, ComesBackAsItWas) {
  const auto device = decode(wholeStream());
  ASSERT_TRUE(device.ok()) << device.error().message;
  EXPECT_EQ(*device, std::string("abcd\0\0\0\0\0\0ef", 12));
}

TEST(BlockFormat, StaysReadableForOtherVersions) {
  const auto stream = wholeStream();
  EXPECT_EQ(stream.substr(0, 8), "GODWITBK");
  EXPECT_EQ(stream.substr(8, 16), std::string("\1\0\0\0\0\0\0\0\14\0\0\0\0\0\0\0", 16));
  EXPECT_EQ(stream.substr(24, 17), std::string("D\0\0\0\0\0\0\0\0\4\0\0\0abcd", 17));
  EXPECT_EQ(stream.substr(41, 17), std::string("Z\4\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0", 17));
  EXPECT_EQ(stream.size(), 24u + 17 + 17 + 15 + 9 + 32);
}

TEST(BlockFormat, IsNeverWholeWhenCut) {
  const auto stream = wholeStream();
  for (std::size_t n = 0; n < stream.size(); ++n)
    EXPECT_THAT(refusal(stream.substr(0, n)), testing::HasSubstr("was cut")) << n;
  EXPECT_THAT(refusal(stream + "x"), testing::HasSubstr("follows its trailer"));
}

TEST(BlockFormat, IsNeverWholeWhenAnyByteChanged) {
  for (std::size_t n = 0; n < wholeStream().size(); ++n) {
    for (const unsigned char flip : {1, 0x80}) {
      auto stream = wholeStream();
      stream[n] = static_cast<char>(stream[n] ^ flip);
      EXPECT_FALSE(decode(stream).ok()) << n;
    }
  }
}

TEST(BlockFormat, RefusesRecordsThatDoNotCoverTheDevice) {
  using testing::HasSubstr;
  EXPECT_THAT(refusal(streamOf([](auto& e, auto& out) { e.data(1, "a", out); })), HasSubstr("offset 1 where 0"));
  EXPECT_THAT(refusal(streamOf([](auto& e, auto& out) { e.zeros(0, 13, out); })), HasSubstr("length 13"));
  EXPECT_THAT(refusal(streamOf([](auto& e, auto& out) { e.zeros(0, ~0ULL, out); })), HasSubstr("length 184"));
  EXPECT_THAT(refusal(streamOf([](auto& e, auto& out) { e.zeros(0, 0, out); })), HasSubstr("length 0"));
  EXPECT_THAT(refusal(streamOf([](auto& e, auto& out) { e.data(0, "", out); })), HasSubstr("length 0"));
  EXPECT_THAT(refusal(streamOf([](auto& e, auto& out) { e.trailer(out); })), HasSubstr("ends at byte 0 of 12"));
  const auto twice = [](auto& e, auto& out) {
    e.zeros(0, 8, out);
    e.zeros(4, 8, out);
  };
  EXPECT_THAT(refusal(streamOf(twice)), HasSubstr("offset 4 where 8"));
  const auto past = [](auto& e, auto& out) {
    e.zeros(0, 12, out);
    e.zeros(12, 1, out);
  };
  EXPECT_THAT(refusal(streamOf(past)), HasSubstr("length 1 at offset 12"));
  EXPECT_THAT(refusal(streamOf([](auto&, auto& out) { out += "Q"; })), HasSubstr("tag 0x51"));
}

TEST(BlockFormat, RefusesALongRecordBeforeItReadsIt) {
  BlockEncoder encoder;
  std::string out;
  encoder.header(1 << 30, out);
  encoder.data(0, std::string(kMaxBlockData + 1, 'x'), out);
  EXPECT_THAT(refusal(out.substr(0, 24 + 13)), testing::HasSubstr("length 1048577"));
}

TEST(BlockFormat, RefusesHeadersOfOthers) {
  const auto header = [](std::size_t at, const std::string& bytes) {
    return wholeStream().replace(at, bytes.size(), bytes);
  };
  EXPECT_THAT(refusal(header(0, "SSH-2.0-")), testing::HasSubstr("does not begin"));
  EXPECT_THAT(refusal(header(8, "\2")), testing::HasSubstr("version 2"));
  EXPECT_THAT(refusal(header(12, "\1")), testing::HasSubstr("flags"));
  EXPECT_THAT(refusal(header(16, std::string(8, '\0'))), testing::HasSubstr("size 0"));
  EXPECT_THAT(refusal(header(16, std::string(8, '\xff'))), testing::HasSubstr("size 184"));
}

}  // namespace
}  // namespace godwit::mover
