#include "cli/progress.h"

#include <gtest/gtest.h>

namespace godwit::cli {
namespace {

constexpr const char* kLine =
    "2026-11-23T01:40:56.261Z INFO  mover: 93% of what is known, 162200573 bytes, 10084 files sent, 1055 of 12737 to "
    "check, "
    "40506490 bytes/s, 4 s left";

TEST(MoverProgress, IsReadFromItsLogLine) {
  const auto progress = parseMoverProgress(kLine);
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->percent, 93);
  EXPECT_EQ(progress->files, 10084);
  EXPECT_EQ(shortProgress(progress), "93%");
  EXPECT_EQ(longProgress(*progress),
            "[###########################...]  93%  154.7 MiB, 10,084 files, 38.6 MiB/s, 4 s left");
}

TEST(MoverProgress, IsNothingElse) {
  const std::string line = kLine;
  for (std::size_t length = 0; length + 7 < line.size(); ++length) {
    EXPECT_FALSE(parseMoverProgress(line.substr(0, length))) << length;
  }
  EXPECT_FALSE(parseMoverProgress("2026-11-23T01:40:51Z INFO  mover: sending /data to root@127.0.0.1"));
  EXPECT_EQ(shortProgress(std::nullopt), "");
}

}  // namespace
}  // namespace godwit::cli
