#include "standalone/copy_tree.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <thread>

#include "base/fd.h"
#include "base/process.h"

namespace godwit::standalone {
namespace {

namespace fs = std::filesystem;

class CopyTree : public testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/var/tmp/godwit-copy.XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    root_ = dir;
    from_ = root_ + "/from";
    to_ = root_ + "/to";
    fs::create_directory(from_);
    fs::create_directory(to_);
  }
  void TearDown() override { EXPECT_TRUE(removeTree(root_).ok()); }
  void file(const std::string& name, const std::string& content = "x") {
    ASSERT_TRUE(writeFileAtomic(from_ + "/" + name, content).ok());
  }
  // What rsync would still have to do.
  std::string difference() const {
    const auto run = runProcess(
        {{"rsync", "-anAHXSc", "--delete", "--itemize-changes", "--exclude=/lost+found", from_ + "/", to_ + "/"}});
    return run.ok() ? run->out + run->err : run.error().message;
  }
  CopyReport copy() {
    auto report = copyTree(from_, to_);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *report : CopyReport{};
  }
  std::string root_, from_, to_;
};

TEST_F(CopyTree, KeepsEverythingRsyncKeeps) {
  file("plain", std::string(300'000, 'p'));
  file("empty", "");
  file("setuid");
  ::chmod((from_ + "/setuid").c_str(), 06755);
  fs::create_directories(from_ + "/a/b/c");
  file("a/one");
  fs::create_hard_link(from_ + "/a/one", from_ + "/a/b/two");
  fs::create_symlink("/nowhere/absolute", from_ + "/dangling");
  fs::create_symlink("a/one", from_ + "/link");
  ASSERT_EQ(::mkfifo((from_ + "/fifo").c_str(), 0640), 0);
  file("odd\nname\xff", "odd");
  ASSERT_EQ(::setxattr((from_ + "/plain").c_str(), "user.colour", "blue", 4, 0), 0);
  ASSERT_EQ(::setxattr((from_ + "/a").c_str(), "user.dir", "d", 1, 0), 0);
  ASSERT_TRUE(runProcess({{"setfacl", "-m", "u:12345:r", from_ + "/plain"}})->status.success());
  ASSERT_TRUE(runProcess({{"setfacl", "-d", "-m", "u:12345:rwx", from_ + "/a"}})->status.success());
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown((from_ + "/plain").c_str(), 1234, 4321), 0);
    ASSERT_EQ(::mknod((from_ + "/device").c_str(), S_IFCHR | 0600, makedev(1, 3)), 0);
  }
  const timespec old[2] = {{1'000'000'000, 123456789}, {1'000'000'000, 987654321}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (from_ + "/a/b").c_str(), old, 0), 0);
  const auto report = copy();
  EXPECT_EQ(difference(), "");
  EXPECT_EQ(report.pointInTime, PointInTime::Yes);
  struct stat one {
  }, two{}, dir{};
  ::stat((to_ + "/a/one").c_str(), &one);
  ::stat((to_ + "/a/b/two").c_str(), &two);
  ::stat((to_ + "/a/b").c_str(), &dir);
  EXPECT_EQ(one.st_ino, two.st_ino);
  EXPECT_EQ(dir.st_mtim.tv_nsec, 987654321);
}

TEST_F(CopyTree, HolesStayHoles) {
  const UniqueFd fd(::open((from_ + "/sparse").c_str(), O_CREAT | O_WRONLY, 0644));
  ASSERT_EQ(::ftruncate(fd.get(), 3LL << 30), 0);
  ASSERT_EQ(::pwrite(fd.get(), "data", 4, 1LL << 30), 4);
  copy();
  struct stat st {};
  ASSERT_EQ(::stat((to_ + "/sparse").c_str(), &st), 0);
  EXPECT_EQ(st.st_size, 3LL << 30);
  EXPECT_LT(st.st_blocks * 512, 1 << 20);
  char read[4];
  const UniqueFd copied(::open((to_ + "/sparse").c_str(), O_RDONLY));
  ASSERT_EQ(::pread(copied.get(), read, 4, 1LL << 30), 4);
  EXPECT_EQ(std::string(read, 4), "data");
}

TEST_F(CopyTree, LeavesOutLostAndFoundAndTheExcludedDirectory) {
  fs::create_directories(from_ + "/lost+found");
  fs::create_directories(from_ + "/below/lost+found");
  fs::create_directories(from_ + "/pool/volumes");
  CopyOptions options;
  options.exclude = from_ + "/pool";
  ASSERT_TRUE(copyTree(from_, to_, options).ok());
  EXPECT_FALSE(fs::exists(to_ + "/lost+found"));
  EXPECT_TRUE(fs::exists(to_ + "/below/lost+found"));
  EXPECT_FALSE(fs::exists(to_ + "/pool"));
}

TEST_F(CopyTree, CrossesNoMount) {
  fs::create_directory(from_ + "/mnt");
  if (::mount("none", (from_ + "/mnt").c_str(), "tmpfs", 0, "") != 0)
    GTEST_SKIP() << "SKIPPED: no mounting here; mounts are NOT tested";
  file("mnt/inside");
  copy();
  ::umount((from_ + "/mnt").c_str());
  EXPECT_TRUE(fs::exists(to_ + "/mnt"));
  EXPECT_FALSE(fs::exists(to_ + "/mnt/inside"));
}

TEST_F(CopyTree, ManyFilesInManyDirectories) {
  for (int d = 0; d < 20; ++d) {
    fs::create_directory(from_ + "/" + std::to_string(d));
    for (int i = 0; i < 50; ++i)
      ASSERT_TRUE(
          writeAll(UniqueFd(::open(fmt::format("{}/{}/{}", from_, d, i).c_str(), O_CREAT | O_WRONLY, 0644)).get(),
                   fmt::format("{} {}", d, i))
              .ok());
  }
  EXPECT_EQ(copy().entries, 1 + 20 + 20 * 50);
  EXPECT_EQ(difference(), "");
}

TEST_F(CopyTree, AQuietEndMakesAPointInTimeOfAChangingTree) {
  for (int i = 0; i < 400; ++i) file(std::to_string(i), std::string(2000, 'a'));
  std::jthread writer([&] {
    for (int i = 0; i < 50; ++i) (void)writeFileAtomic(from_ + "/" + std::to_string(i % 7), std::to_string(i)).ok();
  });
  CopyOptions options;
  options.passes = 1000;
  const auto report = copyTree(from_, to_, options);
  writer.join();
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->pointInTime, PointInTime::Yes);
  EXPECT_TRUE(fs::exists(to_ + "/399"));
}

TEST_F(CopyTree, ATreeThatNeverRestsIsSaidToBeTorn) {
  file("busy");
  std::jthread writer([&](std::stop_token stop) {
    const UniqueFd fd(::open((from_ + "/busy").c_str(), O_WRONLY));
    for (int i = 0; !stop.stop_requested(); ++i) (void)!::pwrite(fd.get(), &i, sizeof i, 0);
  });
  CopyOptions options;
  options.passes = 2;
  // A machine with more to do may give the writer no turn during a copy of one file; sooner or later it has one.
  auto said = PointInTime::Yes;
  for (int i = 0; i < 1000 && said == PointInTime::Yes; ++i) {
    const auto to = to_ + std::to_string(i);
    fs::create_directory(to);
    const auto report = copyTree(from_, to, options);
    ASSERT_TRUE(report.ok());
    said = report->pointInTime;
  }
  EXPECT_EQ(said, PointInTime::No);
}

// Run as an ordinary user in a process of its own, which ends with 0 when the copy was made.
int copyWhileDirectoriesAppear(const std::string& from, const std::string& to) {
  constexpr uid_t kNobody = 65534;
  if (::geteuid() == 0 && (::chown(to.c_str(), kNobody, kNobody) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
                           ::setresuid(kNobody, kNobody, kNobody) != 0))
    return 3;
  std::jthread maker([&](std::stop_token stop) {
    for (int i = 0; i < 5000 && !stop.stop_requested(); ++i)
      ::mkdir((from + "/new-" + std::to_string(i)).c_str(), 0700);
  });
  const auto report = copyTree(from, to, {.passes = 2});
  if (!report.ok()) std::cerr << report.error().message << "\n";
  return report.ok() ? 0 : 1;
}

TEST_F(CopyTree, ADirectoryThatAppearsMeanwhileIsNoErrorForAnOrdinaryUser) {
  for (const auto& dir : {root_, from_}) fs::permissions(dir, fs::perms::all);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(copyWhileDirectoriesAppear(from_, to_));
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(CopyTree, ErrorsNameThePlace) {
  EXPECT_TRUE(copyTree(root_ + "/none", to_).is(Errc::NotFound));
  file("unreadable");
  ::chmod((from_ + "/unreadable").c_str(), 0);
  if (::geteuid() == 0) GTEST_SKIP() << "SKIPPED as root, who can read everything: an unreadable file is NOT tested";
  const auto report = copyTree(from_, to_);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, testing::HasSubstr("unreadable"));
}

TEST_F(CopyTree, RemovesWhateverTheModes) {
  fs::create_directories(from_ + "/locked/below");
  file("locked/below/f");
  ::chmod((from_ + "/locked/below").c_str(), 0);
  ::chmod((from_ + "/locked").c_str(), 0500);
  EXPECT_TRUE(removeTree(from_ + "/locked").ok());
  EXPECT_FALSE(fs::exists(from_ + "/locked"));
  EXPECT_TRUE(removeTree(from_ + "/locked").ok());  // absent is fine
}

}  // namespace
}  // namespace godwit::standalone
