#include "mover/confine.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace godwit::mover {
namespace {

namespace fs = std::filesystem;

class Confine : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(root_.data()), nullptr);
    fs::create_directories(root_ + "/vol/a/b");
    fs::create_directories(root_ + "/outside");
    fs::create_symlink("../outside", root_ + "/vol/out");
    fs::create_symlink("a", root_ + "/vol/in");
    fs::create_symlink("/nowhere", root_ + "/vol/a/dangling");
    auto opened = openVolume(root_ + "/vol");
    ASSERT_TRUE(opened.ok());
    volume_ = *std::move(opened);
  }
  void TearDown() override { fs::remove_all(root_); }
  std::string root_ = "/tmp/godwit-confine-XXXXXX";
  UniqueFd volume_;
};

TEST_F(Confine, PassesRealDirectoriesAndNewNames) {
  for (const auto* path : {".", "./a", "./a/b/", "./new/deeper/still"})
    EXPECT_TRUE(checkBeneath(volume_.get(), path).ok()) << path;
}

TEST_F(Confine, RefusesEverySymlinkOnTheWay) {
  for (const auto* path : {"./out", "./out/x", "./in/b", "./a/dangling", "./a/dangling/x"}) {
    EXPECT_TRUE(checkBeneath(volume_.get(), path).is(Errc::Forbidden)) << path;
  }
  EXPECT_TRUE(checkBeneath(volume_.get(), "../outside").is(Errc::Forbidden));
}

TEST_F(Confine, MakesDirectoriesInsideOnly) {
  EXPECT_TRUE(makeBeneath(volume_.get(), "./x/y/z/").ok());
  EXPECT_TRUE(makeBeneath(volume_.get(), "./x/y/z/").ok());  // again is the same
  EXPECT_TRUE(fs::is_directory(root_ + "/vol/x/y/z"));
  EXPECT_TRUE(makeBeneath(volume_.get(), "./out/evil").is(Errc::Forbidden));
  EXPECT_FALSE(fs::exists(root_ + "/outside/evil"));
  std::ofstream(root_ + "/vol/file") << "x";
  EXPECT_FALSE(makeBeneath(volume_.get(), "./file/x").ok());
}

TEST_F(Confine, CountsWhatIsSomebodysData) {
  const auto count = [&](bool isRoot, std::size_t limit) { return *countEntries(volume_.get(), isRoot, limit); };
  EXPECT_EQ(count(true, 100), 3u);
  fs::create_directory(root_ + "/vol/lost+found");
  EXPECT_EQ(count(true, 100), 3u);
  EXPECT_EQ(count(false, 100), 4u);
  EXPECT_EQ(count(true, 1), 1u);
  EXPECT_EQ(count(true, 100), 3u);  // counting leaves the descriptor's position alone
}

TEST_F(Confine, NamesTheRemedyForAMissingVolume) {
  const auto missing = openVolume(root_ + "/none");
  ASSERT_TRUE(missing.is(Errc::NotFound));
  EXPECT_NE(missing.error().message.find("--data"), std::string::npos);
}

}  // namespace
}  // namespace godwit::mover
