#include "base/fd.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

using namespace godwit;

TEST(Fd, AtomicWriteReplacesWithExactMode) {
  char dir[] = "/tmp/godwit-fd-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  const auto path = std::filesystem::path(dir) / "f";
  ASSERT_TRUE(writeFileAtomic(path, "one", 0600).ok());
  ASSERT_TRUE(writeFileAtomic(path, "two", 0640).ok());
  EXPECT_EQ(*readFile(path), "two");
  struct stat st {};
  ASSERT_EQ(stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0640u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir), {}), 1);
  EXPECT_EQ(readFile(path, 2).error().code, Errc::Invalid);
  std::filesystem::remove_all(dir);
}

TEST(Fd, MissingFileIsNotFound) {
  EXPECT_EQ(readFile("/no/such").error().code, Errc::NotFound);
}
