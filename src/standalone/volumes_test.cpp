#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/fd.h"
#include "standalone/btrfs.h"
#include "standalone/copy_tree.h"
#include "standalone/pool.h"

namespace godwit::standalone {
namespace {

namespace fs = std::filesystem;
using Kind = PoolOptions::Kind;

class VolumesTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    char dir[] = "/var/tmp/godwit-pool.XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    root_ = dir;
    auto pool = reopen();
    if (!pool.ok() && GetParam() == Kind::Btrfs)
      GTEST_SKIP() << "SKIPPED: btrfs is NOT tested here: " << pool.error().message;
    ASSERT_TRUE(pool.ok()) << pool.error().message;
  }
  void TearDown() override {
    volumes_.reset();
    closePool(root_);
    EXPECT_TRUE(removeTree(root_).ok());
  }
  Result<void> reopen() {
    PoolOptions options;
    options.kind = GetParam();
    options.imageBytes = 300LL << 20;
    GODWIT_ASSIGN(auto pool, openPool(root_, options));
    volumes_ = std::move(pool.volumes);
    return {};
  }
  void write(const std::string& path, const std::string& content) { ASSERT_TRUE(writeFileAtomic(path, content).ok()); }
  std::string root_;
  std::unique_ptr<Volumes> volumes_;
};

// The volumes that are there would vanish behind an empty pool.
TEST_P(VolumesTest, AnotherKindOfPoolInTheSamePlaceIsRefused) {
  ASSERT_TRUE(volumes_->createVolume("pvc-1", 1 << 20).ok());
  volumes_.reset();
  closePool(root_);
  PoolOptions other;
  other.kind = GetParam() == Kind::Btrfs ? Kind::Directory : Kind::Btrfs;
  other.imageBytes = 300LL << 20;
  const auto pool = openPool(root_, other);
  ASSERT_FALSE(pool.ok());
  EXPECT_THAT(pool.error().message, testing::HasSubstr("leave the option out"));
  ASSERT_TRUE(reopen().ok());
  EXPECT_TRUE(fs::exists(volumes_->volumePath("pvc-1")));
}

TEST_P(VolumesTest, ASnapshotKeepsWhatTheVolumeForgets) {
  ASSERT_TRUE(volumes_->createVolume("pvc-1", 1 << 20).ok());
  ASSERT_TRUE(volumes_->createVolume("pvc-1", 1 << 20).ok());  // again: the same
  write(volumes_->volumePath("pvc-1") + "/f", "one");
  EXPECT_EQ(*volumes_->createSnapshot("snap-1", volumes_->volumePath("pvc-1")), PointInTime::Yes);
  write(volumes_->volumePath("pvc-1") + "/f", "two");
  EXPECT_EQ(*volumes_->createSnapshot("snap-1", volumes_->volumePath("pvc-1")), PointInTime::Yes);  // made already
  EXPECT_EQ(*readFile(volumes_->snapshotPath("snap-1") + "/f"), "one");
  ASSERT_TRUE(volumes_->restoreVolume("pvc-2", "snap-1").ok());
  EXPECT_EQ(*readFile(volumes_->volumePath("pvc-2") + "/f"), "one");
  write(volumes_->volumePath("pvc-2") + "/f", "three");  // a restored volume is writable
  EXPECT_EQ(*volumes_->cloneVolume("pvc-3", volumes_->volumePath("pvc-1")), PointInTime::Yes);
  EXPECT_EQ(*readFile(volumes_->volumePath("pvc-3") + "/f"), "two");
}

TEST_P(VolumesTest, DeletedIsGoneAndAbsentIsFine) {
  ASSERT_TRUE(volumes_->createVolume("pvc-1", 0).ok());
  ASSERT_TRUE(volumes_->createSnapshot("snap-1", volumes_->volumePath("pvc-1")).ok());
  for (int twice = 0; twice < 2; ++twice) {
    EXPECT_TRUE(volumes_->deleteSnapshot("snap-1").ok());
    EXPECT_TRUE(volumes_->deleteVolume("pvc-1").ok());
  }
  EXPECT_FALSE(fs::exists(volumes_->volumePath("pvc-1")));
  EXPECT_FALSE(fs::exists(volumes_->snapshotPath("snap-1")));
  EXPECT_TRUE(volumes_->size("snap-1").is(Errc::NotFound));
  EXPECT_TRUE(volumes_->restoreVolume("pvc-9", "snap-1").is(Errc::NotFound));
}

TEST_P(VolumesTest, AUsersDirectoryIsCopied) {
  fs::create_directories(root_ + "/mine");
  write(root_ + "/mine/f", "mine");
  EXPECT_EQ(*volumes_->createSnapshot("snap-1", root_ + "/mine"), PointInTime::Yes);
  EXPECT_EQ(*readFile(volumes_->snapshotPath("snap-1") + "/f"), "mine");
  EXPECT_TRUE(volumes_->createSnapshot("snap-2", root_ + "/missing").is(Errc::NotFound));
  EXPECT_FALSE(fs::exists(volumes_->snapshotPath("snap-2")));
}

TEST_P(VolumesTest, HalfACopyOfAnEarlierLifeIsNobodysVolume) {
  ASSERT_TRUE(volumes_->createVolume("pvc-1", 0).ok());
  fs::create_directories(volumes_->volumePath("pvc-2") + ".tmp/rest");
  volumes_.reset();
  ASSERT_TRUE(reopen().ok());
  EXPECT_FALSE(fs::exists(volumes_->volumePath("pvc-2") + ".tmp"));
  EXPECT_TRUE(fs::exists(volumes_->volumePath("pvc-1")));
}

TEST_P(VolumesTest, HandlesThatAreNoNamesAreRefused) {
  for (const char* bad : {"", "../x", "a/b", ".hidden"}) {
    EXPECT_TRUE(volumes_->createVolume(bad, 0).is(Errc::Invalid)) << bad;
    EXPECT_TRUE(volumes_->deleteSnapshot(bad).is(Errc::Invalid)) << bad;
  }
}

// What the disk holds at this moment: the image as its file has it, with nothing written back first. Loop devices are
// root's.
class PowerLossTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "SKIPPED: losses of power are NOT tested here: not root";
    char dir[] = "/var/tmp/godwit-power.XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    root_ = dir;
  }
  void TearDown() override {
    closePool(root_);
    for (const char* at : {"/ext4", "/after"}) (void)::umount2((root_ + at).c_str(), MNT_DETACH);
    EXPECT_TRUE(root_.empty() || removeTree(root_).ok());
  }
  bool run(const std::string& command) { return std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) == 0; }
  bool cut(const std::string& image) { return run("cp --sparse=always " + image + " " + image + ".cut"); }
  std::string root_;
};

TEST_F(PowerLossTest, ACopyThatIsDoneIsOnTheDisk) {
  const auto at = root_ + "/ext4", image = root_ + "/image";
  const bool mounted = run("truncate -s 64M " + image + " && mkfs.ext4 -q " + image + " && mkdir " + at +
                           " && mount -o loop " + image + " " + at);
  if (!mounted) GTEST_SKIP() << "SKIPPED: losses of power are NOT tested here: no loop device or no mkfs.ext4";
  auto pool = openPool(at, {.kind = Kind::Directory});
  ASSERT_TRUE(pool.ok()) << pool.error().message;
  auto& volumes = *pool->volumes;
  fs::create_directories(at + "/mine");
  ASSERT_TRUE(writeFileAtomic(at + "/mine/f", std::string(100'000, 'x')).ok());
  ASSERT_TRUE(volumes.cloneVolume("pvc-1", at + "/mine").ok());
  ASSERT_TRUE(cut(image));
  ASSERT_TRUE(run("mkdir " + root_ + "/after && mount -o loop " + image + ".cut " + root_ + "/after"));
  const auto content = readFile(root_ + "/after/pool/volumes/pvc-1/f");
  ASSERT_TRUE(content.ok()) << content.error().message;
  EXPECT_EQ(*content, std::string(100'000, 'x'));
}

TEST_F(PowerLossTest, ASubvolumeThatIsDoneHasItsNameOnTheDisk) {
  auto pool = openPool(root_, {.kind = Kind::Btrfs, .imageBytes = 300LL << 20});
  if (!pool.ok()) GTEST_SKIP() << "SKIPPED: btrfs is NOT tested here: " << pool.error().message;
  auto& volumes = *pool->volumes;
  ASSERT_TRUE(volumes.createVolume("pvc-1", 0).ok());
  ASSERT_TRUE(volumes.createSnapshot("snap-1", volumes.volumePath("pvc-1")).ok());
  ASSERT_TRUE(volumes.restoreVolume("pvc-2", "snap-1").ok());
  fs::create_directories(root_ + "/mine");
  ASSERT_TRUE(volumes.cloneVolume("pvc-3", root_ + "/mine").ok());
  ASSERT_TRUE(cut(root_ + "/pool.img"));
  // The same file system cannot be mounted twice: its trees are read as they lie.
  ASSERT_TRUE(run("btrfs inspect-internal dump-tree " + root_ + "/pool.img.cut > " + root_ + "/trees"));
  const auto trees = *readFile(root_ + "/trees");
  for (const char* name : {"pvc-1", "pvc-2", "pvc-3", "snap-1"})
    EXPECT_NE(trees.find(fmt::format("name: {}\n", name)), std::string::npos) << name;
}

INSTANTIATE_TEST_SUITE_P(Pools, VolumesTest, testing::Values(Kind::Directory, Kind::Btrfs),
                         [](const auto& chosen) { return chosen.param == Kind::Btrfs ? "Btrfs" : "Directory"; });

}  // namespace
}  // namespace godwit::standalone
