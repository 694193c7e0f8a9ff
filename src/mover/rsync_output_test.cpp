#include "mover/rsync_output.h"

#include <gtest/gtest.h>

namespace godwit::mover {
namespace {

TEST(RsyncOutput, ReadsProgress) {
  const auto running = parseProgress("  1234567  45%   12.34MB/s    1:02:03  ");
  ASSERT_TRUE(running);
  EXPECT_EQ(running->bytes, 1234567);
  EXPECT_EQ(running->percent, 45);
  EXPECT_EQ(running->rate, static_cast<std::int64_t>(12.34 * 1024 * 1024));
  EXPECT_EQ(running->etaSeconds, 3723);
  const auto counted = parseProgress("     98 100%    1.50kB/s    0:00:00 (xfr#7, ir-chk=1000/3000)");
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->rate, 1536);
  EXPECT_EQ(counted->filesTransferred, 7);
  EXPECT_EQ(counted->filesLeft, 1000);
  EXPECT_EQ(counted->filesKnown, 3000);
  EXPECT_EQ(parseProgress("  0   0%    0.00kB/s    0:00:00 (xfr#0, to-chk=0/1)")->filesKnown, 1);
}

TEST(RsyncOutput, ShowsWhatIsLeftWhereRsyncShowsWhatHasPassed) {
  const auto between = parseProgress("  1048576  25%    1.00MB/s    0:00:59 (xfr#7, to-chk=1000/3000)");
  ASSERT_TRUE(between);
  EXPECT_EQ(between->etaSeconds, 3);
  EXPECT_EQ(parseProgress("  1048576 100%    1.00MB/s    0:01:49 (xfr#7, to-chk=0/3000)")->etaSeconds, 0);
}

TEST(RsyncOutput, IsNotFooledByOtherLines) {
  for (const auto* line : {"", "sending incremental file list", "12 monkeys", "5% off", "Number of files: 3",
                           "1 1% 1.0kB/s 9223372036854775807:00:00", "1 1% 1.0kB/s 0:-9:99"}) {
    EXPECT_FALSE(parseProgress(line)) << line;
  }
}

TEST(RsyncOutput, ReadsStatistics) {
  api::MoverResult result;
  EXPECT_TRUE(takeStatistic("Number of files: 1,072 (reg: 52, dir: 18)", result));
  EXPECT_TRUE(takeStatistic("Number of deleted files: 3", result));
  EXPECT_TRUE(takeStatistic("Number of regular files transferred: 52", result));
  EXPECT_TRUE(takeStatistic("Total file size: 402541 bytes", result));
  EXPECT_TRUE(takeStatistic("Total bytes sent: 406844", result));
  EXPECT_FALSE(takeStatistic("Total bytes sent: many", result));
  EXPECT_FALSE(takeStatistic("Total transferred file size: 1 bytes", result));
  EXPECT_EQ(result.files, 1072);
  EXPECT_EQ(result.deletions, 3);
  EXPECT_EQ(result.filesTransferred, 52);
  EXPECT_EQ(result.bytesTotal, 402541);
  EXPECT_EQ(result.bytesSent, 406844);
}

TEST(ErrorDigest, KeepsTheCauseAndCountsWhatVanished) {
  ErrorDigest digest;
  digest.take("file has vanished: \"/data/x\"");
  digest.take("rsync warning: some files vanished before they could be transferred (code 24) at main.c(1)");
  EXPECT_EQ(digest.vanished(), 1);
  digest.take("rsync: [receiver] write failed on \"/x\": No space left on device (28)");
  digest.take("rsync error: error in file IO (code 11)");
  EXPECT_TRUE(digest.noSpace());
  EXPECT_NE(digest.first().find("write failed"), std::string::npos);
}

}  // namespace
}  // namespace godwit::mover
