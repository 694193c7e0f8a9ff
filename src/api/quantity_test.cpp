#include "api/quantity.h"

#include <gtest/gtest.h>

#include <limits>

using namespace godwit;
using namespace godwit::api;

TEST(Quantity, ParsesAsKubernetesDoes) {
  const std::pair<const char*, std::int64_t> known[] = {{"0", 0},
                                                        {"1", 1},
                                                        {"10Gi", 10ll << 30},
                                                        {"1.5Gi", 3ll << 29},
                                                        {"1.5G", 1'500'000'000},
                                                        {"1e3", 1000},
                                                        {"1E3", 1000},
                                                        {"1E", 1'000'000'000'000'000'000},
                                                        {"500m", 1},
                                                        {"1500m", 2},
                                                        {"1000m", 1},
                                                        {"1n", 1},
                                                        {"0.0001u", 1},
                                                        {"+5k", 5000},
                                                        {".5Ki", 512},
                                                        {"5.", 5},
                                                        {"1e-1", 1},
                                                        {"10e-1", 1},
                                                        {"1e+3", 1000},
                                                        {"7Ei", 7ll << 60},
                                                        {"0.1Ki", 103},
                                                        {"9223372036854775807", 9223372036854775807},
                                                        {"9223372036854775806.5", 9223372036854775807},
                                                        {"000000000000000000000000000000001Ki", 1024},
                                                        {"0e999", 0},
                                                        {"0Ei", 0},
                                                        {"1e-999", 1},
                                                        {"7.999999999999999999Ei", 9223372036854775807}};
  for (const auto& [text, bytes] : known) {
    const auto parsed = parseBytes(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, bytes) << text;
  }
}

TEST(Quantity, RefusesTheRest) {
  for (const char* bad : {"",
                          " ",
                          "Gi",
                          ".",
                          "+",
                          "1 Gi",
                          "1GB",
                          "1gi",
                          "1K",
                          "1ki",
                          "1e",
                          "1e+",
                          "1e1.5",
                          "1e1000",
                          "1.2.3",
                          "0x10",
                          "1Gi ",
                          " 1Gi",
                          "1\xff",
                          "--1",
                          "-1",
                          "-0",
                          "8Ei",
                          "1e19",
                          "9223372036854775808",
                          "9223372036854775807.1",
                          "inf",
                          "nan"})
    EXPECT_TRUE(parseBytes(bad).is(Errc::Invalid)) << bad;
  EXPECT_TRUE(parseBytes(std::string(1000, '0')).is(Errc::Invalid));
}

TEST(Quantity, FormatIsCanonical) {
  EXPECT_EQ(formatBytes(0), "0");
  EXPECT_EQ(formatBytes(1023), "1023");
  EXPECT_EQ(formatBytes(1024), "1Ki");
  EXPECT_EQ(formatBytes(10ll << 30), "10Gi");
  EXPECT_EQ(formatBytes(3ll << 29), "1536Mi");
  EXPECT_EQ(formatBytes(4ll << 60), "4Ei");
  for (const std::int64_t n : {1ll, 7ll << 40, 123456789ll, std::numeric_limits<std::int64_t>::max() + 0ll})
    EXPECT_EQ(*parseBytes(formatBytes(n)), n);
}
