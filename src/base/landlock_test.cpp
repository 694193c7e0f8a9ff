#include "base/landlock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/fd.h"

namespace godwit {
namespace {

// Landlock cannot be taken off again: each trial runs in a child, which answers with its exit code.
template <class F>
int inChild(F&& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

class Landlock : public testing::Test {
 protected:
  void SetUp() override {
    if (landlockAbi() == 0) GTEST_SKIP() << "SKIPPED: this kernel has no Landlock; its confinement is NOT tested here";
    char dir[] = "/tmp/godwit-landlock.XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    root_ = dir;
    for (const char* d : {"/ro", "/rw", "/other"}) ASSERT_EQ(::mkdir((root_ + d).c_str(), 0755), 0);
    ASSERT_TRUE(writeFileAtomic(root_ + "/ro/f", "x").ok());
    ASSERT_TRUE(writeFileAtomic(root_ + "/other/f", "x").ok());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::vector<LandlockRule> rules() const {
    return {{root_ + "/ro", LandlockRule::Access::ReadOnly},
            {root_ + "/rw", LandlockRule::Access::ReadWrite},
            {root_ + "/missing", LandlockRule::Access::ReadWrite}};
  }
  std::string root_;
};

TEST_F(Landlock, LeavesWhatIsNamedAndNothingElse) {
  EXPECT_EQ(inChild([&] {
              if (!applyLandlock(rules()).ok()) return 1;
              if (::open((root_ + "/ro/f").c_str(), O_RDONLY) < 0) return 2;
              if (::open((root_ + "/ro/f").c_str(), O_WRONLY) >= 0) return 3;
              if (::open((root_ + "/rw/new").c_str(), O_CREAT | O_WRONLY, 0644) < 0) return 4;
              if (::open((root_ + "/other/f").c_str(), O_RDONLY) >= 0) return 5;
              if (::mkdir((root_ + "/ro/d").c_str(), 0755) == 0) return 6;
              return 0;
            }),
            0);
}

TEST_F(Landlock, ASymlinkLeadsNowhere) {
  ASSERT_EQ(::symlink((root_ + "/other/f").c_str(), (root_ + "/rw/link").c_str()), 0);
  EXPECT_EQ(inChild([&] {
              if (!applyLandlock(rules()).ok()) return 1;
              return ::open((root_ + "/rw/link").c_str(), O_WRONLY) >= 0 ? 2 : 0;
            }),
            0);
}

TEST_F(Landlock, RenamesBetweenDirectoriesStayPossible) {
  if (landlockAbi() < 2) GTEST_SKIP() << "SKIPPED: ABI 1 refuses renames between directories";
  EXPECT_EQ(inChild([&] {
              if (!applyLandlock(rules()).ok()) return 1;
              ::mkdir((root_ + "/rw/a").c_str(), 0755);
              ::close(::open((root_ + "/rw/f").c_str(), O_CREAT | O_WRONLY, 0644));
              return ::rename((root_ + "/rw/f").c_str(), (root_ + "/rw/a/f").c_str()) == 0 ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace godwit
