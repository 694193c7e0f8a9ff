#include "cli/terminal.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/fd.h"

namespace godwit::cli {
namespace {

TEST(ProgressBar, IsClamped) {
  EXPECT_EQ(progressBar(0.5, 10), "[#####.....]  50%");
  EXPECT_EQ(progressBar(-1, 4), "[....]   0%");
  EXPECT_EQ(progressBar(7, 4), "[####] 100%");
  EXPECT_EQ(progressBar(std::nan(""), 4), "[....]   0%");
}

TEST(HumanBytes, UsesBinaryUnits) {
  EXPECT_EQ(humanBytes(0), "0 B");
  EXPECT_EQ(humanBytes(1023), "1023 B");
  EXPECT_EQ(humanBytes(1536), "1.5 KiB");
  EXPECT_EQ(humanBytes(3LL << 40), "3.0 TiB");
}

TEST(Grouped, ByThousands) {
  EXPECT_EQ(grouped(7), "7");
  EXPECT_EQ(grouped(41022), "41,022");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(-123), "-123");
}

TEST(Terminal, WritesOnlyWhatStaysWhereNobodyWatches) {
  auto pipe = makePipe();
  ASSERT_TRUE(pipe);
  Terminal terminal(pipe->write.get());
  EXPECT_FALSE(terminal.live());
  EXPECT_EQ(terminal.width(), 0u);
  terminal.draw("47%");
  terminal.line("done");
  char text[16] = {};
  ASSERT_EQ(::read(pipe->read.get(), text, sizeof text - 1), 5);
  EXPECT_STREQ(text, "done\n");
}

}  // namespace
}  // namespace godwit::cli
