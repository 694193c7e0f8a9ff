#include "cli/data_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/testing.h"

namespace godwit::cli {
namespace {

using testing::HasSubstr;

TEST(DataDir, IsMadeForItsOwnerAloneAndHeldByOneProcess) {
  const TempDir temp;
  const auto path = temp.path() / "a" / "b";
  {
    const auto dir = DataDir::open(path);
    ASSERT_TRUE(dir) << dir.error().message;
    struct stat info;
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
    const auto second = DataDir::open(path);
    ASSERT_TRUE(second.is(Errc::Forbidden));
    EXPECT_THAT(second.error().message, HasSubstr(std::to_string(::getpid())));
    EXPECT_THAT(second.error().message, HasSubstr("--data-dir"));
  }
  EXPECT_TRUE(DataDir::open(path)) << "the lock ends with its holder";
}

TEST(DataDir, CannotBeMadeBelowAFile) {
  const TempDir temp;
  ASSERT_TRUE(writeFileAtomic(temp.path() / "file", ""));
  const auto dir = DataDir::open(temp.path() / "file" / "dir");
  ASSERT_FALSE(dir);
  EXPECT_THAT(dir.error().message, HasSubstr("cannot make the data directory"));
}

TEST(DataDir, KeepsWhatItMadeOnce) {
  const TempDir temp;
  const auto dir = DataDir::open(temp.path());
  ASSERT_TRUE(dir);
  const auto first = dir->keep("token", randomToken), second = dir->keep("token", randomToken);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->size(), 64u);
  EXPECT_EQ(*first, *second);
  struct stat info;
  ASSERT_EQ(::stat((temp.path() / "token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(DataDir, KeepsNothingWhenMakingFails) {
  const TempDir temp;
  const auto dir = DataDir::open(temp.path());
  ASSERT_TRUE(dir);
  EXPECT_FALSE(dir->keep("key", [] { return Result<std::string>(Error{Errc::Io, "no"}); }));
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "key"));
}

TEST(Kubeconfig, IsYamlThatKubectlReads) {
  const auto text = kubeconfigText("https://127.0.0.1:7443", "PEM", "t0ken");
  EXPECT_THAT(text, HasSubstr("current-context: godwit"));
  EXPECT_THAT(text, HasSubstr("https://127.0.0.1:7443"));
  EXPECT_THAT(text, HasSubstr("UEVN"));  // PEM in base64
}

}  // namespace
}  // namespace godwit::cli
