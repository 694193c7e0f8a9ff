#include "api/mover_result.h"

#include <gtest/gtest.h>

using namespace godwit;
using namespace godwit::api;

static MoverResult sample() {
  MoverResult result;
  result.ok = true;
  result.engine = "rsync";
  result.bytesSent = 1258291;
  result.bytesTotal = 40ll << 30;
  result.files = 41022;
  result.filesTransferred = 12;
  result.deletions = 3;
  result.duration = std::chrono::milliseconds(3100);
  return result;
}

TEST(MoverResult, RoundTrip) {
  const auto decoded = decodeMoverResult(encode(sample()));
  ASSERT_TRUE(decoded.ok());
  EXPECT_TRUE(decoded->ok);
  EXPECT_EQ(decoded->engine, "rsync");
  EXPECT_EQ(decoded->bytesTotal, 40ll << 30);
  EXPECT_EQ(decoded->filesTransferred, 12);
  EXPECT_EQ(decoded->duration, std::chrono::milliseconds(3100));
}

TEST(MoverResult, SummaryIsOneLineForPeople) {
  auto result = sample();
  EXPECT_EQ(summary(result), "sent 1.2 MiB of 40 GiB in 3.1 s, 12 of 41,022 files, 3 deleted (rsync)");
  result.ok = false;
  result.error = "disk full";
  EXPECT_EQ(summary(result),
            "failed: disk full; sent 1.2 MiB of 40 GiB in 3.1 s, 12 of 41,022 files, 3 deleted (rsync)");
  result.ok = true;
  result.vanished = 1000;
  result.warning = "no owners";
  EXPECT_EQ(
      summary(result),
      "sent 1.2 MiB of 40 GiB in 3.1 s, 12 of 41,022 files, 3 deleted, 1,000 vanished (rsync); warning: no owners");
  result.engine = "block";
  result.vanished = 0;
  result.warning.clear();
  EXPECT_EQ(summary(result), "sent 1.2 MiB of 40 GiB in 3.1 s (block)");
}

TEST(MoverResult, WhoCountsNothingClaimsNoNumbers) {
  MoverResult result;
  result.engine = "rsync";
  result.ok = true;
  EXPECT_EQ(summary(result), "the replica is complete (rsync)");
  result.ok = false;
  result.error = "nobody listens";
  EXPECT_EQ(summary(result), "failed: nobody listens (rsync)");
}

TEST(MoverResult, FitsWhateverTheTexts) {
  for (const char* unit : {"x", "\xff", "\"", "\x01", "\xc3\xa9", "\xf0\x9f\x90\xa6", "\n"}) {
    auto result = sample();
    for (int i = 0; i < 5000; ++i) result.error += unit;
    result.warning = result.digest = result.engine = result.error;
    const auto text = encode(result);
    EXPECT_LE(text.size(), kMaxResultBytes);
    const auto decoded = decodeMoverResult(text);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_TRUE(decoded->error.ends_with("..."));
    EXPECT_EQ(decoded->bytesTotal, result.bytesTotal);
  }
}

TEST(MoverResult, OddNamesAreEscapedNotLost) {
  auto result = sample();
  result.ok = false;
  result.error = "caf\xe9\n: \xc3\xa9";
  EXPECT_EQ(decodeMoverResult(encode(result))->error, "caf\\xe9\\x0a: \xc3\xa9");
}

TEST(MoverResult, RefusesWhatIsNotOurs) {
  for (const char* bad : {"", "{", "rsync: error", "[]", "{}", R"({"ok": true})", R"({"godwit": 1})",
                          R"({"godwit": 1, "ok": 1})", R"({"godwit": 1, "ok": true, "files": "3"})",
                          R"({"godwit": 1, "ok": true, "files": -3})", R"({"godwit": 1, "ok": true, "files": 1e300})",
                          R"({"godwit": 1, "ok": true, "error": 3})", R"({"godwit": 1, "ok": true, "durationNs": -1})"})
    EXPECT_TRUE(decodeMoverResult(bad).is(Errc::Invalid)) << bad;
  EXPECT_TRUE(decodeMoverResult(R"({"godwit": 1, "ok": true})" + std::string(5000, ' ')).is(Errc::Invalid));
  const auto whole = encode(sample());
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(decodeMoverResult(whole.substr(0, n)).ok()) << n;
}
