#include "mover/block_receive.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "mover/block_stream.h"

namespace godwit::mover {
namespace {

constexpr std::size_t kMiB = 1 << 20;

Result<void> goOn() {
  return {};
}

class BlockReceive : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(root_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string at(const std::string& name) const { return root_ + "/" + name; }
  // A file of `size` bytes, a hole but for `pieces`.
  std::string file(const std::string& name, std::size_t size,
                   const std::vector<std::pair<std::size_t, std::string>>& pieces = {}) const {
    const UniqueFd fd(::open(at(name).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size)), 0);
    for (const auto& [offset, text] : pieces)
      EXPECT_EQ(::pwrite(fd.get(), text.data(), text.size(), static_cast<off_t>(offset)),
                static_cast<ssize_t>(text.size()));
    return at(name);
  }
  static std::string streamOf(const std::string& path) {
    const auto device = BlockDevice::openToRead(path);
    BlockStream stream(*device);
    std::string out;
    for (;;) {
      const auto next = stream.next();
      EXPECT_TRUE(next.ok());
      if (!next.ok() || !*next) return out;
      out += **next;
    }
  }
  static Result<Sha256::Digest> receive(std::string_view stream, std::uint64_t size, const std::string& path) {
    GODWIT_ASSIGN(auto device, BlockDevice::openToWrite(path));
    BlockDecoder decoder([&](char* to, std::size_t most) -> Result<std::size_t> {
      const auto n = std::min(most, stream.size());
      std::memcpy(to, stream.data(), n);
      stream.remove_prefix(n);
      return n;
    });
    return receiveBlock(decoder, size, device, goOn);
  }
  static std::string content(const std::string& path) { return *readFile(path); }
  static std::int64_t allocated(const std::string& path) {
    struct stat st {};
    EXPECT_EQ(::stat(path.c_str(), &st), 0);
    return st.st_blocks * 512;
  }

  std::string root_ = "/tmp/godwit-block-XXXXXX";
};

TEST_F(BlockReceive, CopiesDataAndDiscardsWhatIsZero) {
  // Data at the start, across a piece, as an island, written zeroes, and a tail that fills no sector.
  const std::size_t size = 9 * kMiB + 777;
  const auto source = file("src", size,
                           {{0, "boot"},
                            {2 * kMiB - 10, std::string(kMiB, 'x')},
                            {4 * kMiB + 70000, "island"},
                            {5 * kMiB, std::string(2 * kMiB, '\0')},
                            {size - 3, "end"}});
  const auto replica = file("dst", size + 100, {{0, std::string(size + 100, 'o')}});
  const auto stream = streamOf(source);
  EXPECT_LT(stream.size(), 2 * kMiB);
  const auto received = receive(stream, size, replica);
  ASSERT_TRUE(received.ok()) << received.error().message;
  const auto copy = content(replica);
  EXPECT_TRUE(copy.substr(0, size) == content(source));
  EXPECT_EQ(copy.substr(size), std::string(100, 'o')) << "what lies behind the source's size is nobody's";
  EXPECT_LT(allocated(replica), static_cast<std::int64_t>(3 * kMiB));
}

TEST_F(BlockReceive, SendsRunsOfZeroesAsOneRecord) {
  EXPECT_EQ(streamOf(file("hole", std::size_t{1} << 40)).size(), 24u + 17 + 41);
  EXPECT_EQ(streamOf(file("written", 3 * kMiB, {{0, std::string(3 * kMiB, '\0')}})).size(), 24u + 17 + 41);
}

TEST_F(BlockReceive, IsNeverCompleteWhenCut) {
  const auto source = file("src", kMiB, {{0, "boot"}, {300000, "data"}});
  const auto replica = file("dst", kMiB);
  const auto stream = streamOf(source);
  for (std::size_t n = 0; n < stream.size(); n += n < 100 || n + 100 > stream.size() ? 1 : 1009)
    EXPECT_FALSE(receive(std::string_view(stream).substr(0, n), kMiB, replica).ok()) << n;
  EXPECT_TRUE(receive(stream, kMiB, replica).ok());
  EXPECT_TRUE(content(replica) == content(source));
}

TEST_F(BlockReceive, WritesNothingToADeviceThatIsTooSmall) {
  const auto source = file("src", kMiB, {{0, "boot"}});
  const auto replica = file("dst", kMiB - 512, {{0, "mine"}});
  const auto before = content(replica);
  const auto received = receive(streamOf(source), kMiB, replica);
  ASSERT_FALSE(received.ok());
  EXPECT_THAT(received.error().message,
              testing::AllOf(testing::HasSubstr("1048064 bytes"), testing::HasSubstr("1048576")));
  EXPECT_TRUE(content(replica) == before);
  EXPECT_FALSE(receive(streamOf(source), kMiB - 512, replica).ok()) << "the header names another size";
  EXPECT_TRUE(content(replica) == before);
}

TEST_F(BlockReceive, EndsWhenNobodyWantsItAnyMore) {
  auto device = BlockDevice::openToWrite(file("dst", kMiB, {{0, "mine"}}));
  ASSERT_TRUE(device.ok());
  const auto stop = [] { return Result<void>(Error{Errc::Cancelled, "stop"}); };
  EXPECT_TRUE(device->zero(0, kMiB, stop).is(Errc::Cancelled));
  EXPECT_EQ(content(at("dst")).substr(0, 4), "mine");
}

TEST_F(BlockReceive, KnowsWhetherADeviceHoldsAnything) {
  const auto reads = [&](const std::string& path, std::uint64_t length) {
    const auto device = BlockDevice::openToRead(path);
    const auto zero = device->readsZero(length, goOn);
    return zero.ok() && *zero;
  };
  const auto hole = file("hole", std::size_t{1} << 40);
  EXPECT_TRUE(reads(hole, std::uint64_t{1} << 40));
  const auto late = file("late", 3 * kMiB, {{3 * kMiB - 1, "x"}});
  EXPECT_FALSE(reads(late, 3 * kMiB));
  EXPECT_TRUE(reads(late, 3 * kMiB - 1));
}

TEST_F(BlockReceive, FindsOutWhatAVolumeIs) {
  const auto plain = file("file", 10);
  EXPECT_FALSE(findVolume(root_, false)->block);
  EXPECT_FALSE(findVolume(plain, false)->block);
  EXPECT_TRUE(findVolume(plain, true)->block);
  EXPECT_FALSE(findVolume(root_, true).ok());
  EXPECT_TRUE(findVolume(at("none"), true).is(Errc::NotFound));
  EXPECT_FALSE(BlockDevice::openToRead(file("empty", 0)).ok());
}

}  // namespace
}  // namespace godwit::mover
