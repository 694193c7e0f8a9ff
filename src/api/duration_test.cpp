#include <gtest/gtest.h>

#include <limits>

#include "api/quantity.h"

using namespace godwit;
using namespace godwit::api;

TEST(Durations, PrintAsGoDoes) {
  const std::pair<std::int64_t, const char*> known[] = {
      {0, "0s"},
      {1, "1ns"},
      {1100, "1.1\u00b5s"},
      {2'200'000, "2.2ms"},
      {1'500'000, "1.5ms"},
      {3'300'000'000, "3.3s"},
      {31'333'710'313, "31.333710313s"},
      {62'500'000'000, "1m2.5s"},
      {60'000'000'000, "1m0s"},
      {245'000'000'000, "4m5s"},
      {245'001'000'000, "4m5.001s"},
      {18'367'001'000'000, "5h6m7.001s"},
      {480'000'000'001, "8m0.000000001s"},
      {-1, "-1ns"},
      {-62'500'000'000, "-1m2.5s"},
      {std::numeric_limits<std::int64_t>::max(), "2562047h47m16.854775807s"},
      {std::numeric_limits<std::int64_t>::min(), "-2562047h47m16.854775808s"},
  };
  for (const auto& [nanos, text] : known) {
    EXPECT_EQ(formatDuration(Duration(nanos)), text);
    ASSERT_TRUE(parseDuration(text).ok()) << text;
    EXPECT_EQ(parseDuration(text)->count(), nanos) << text;
  }
}

TEST(Durations, ParseAsGoDoes) {
  const std::pair<const char*, std::int64_t> known[] = {
      {"0", 0},
      {"-0", 0},
      {"+5s", 5'000'000'000},
      {"5.s", 5'000'000'000},
      {".5s", 500'000'000},
      {"1us", 1000},
      {"12\u00b5s", 12000},
      {"12\u03bcs", 12000},
      {"3h30m", 12'600'000'000'000},
      {"39h9m14.425s", 140'954'425'000'000},
      {"9223372036854775807ns", 9223372036854775807},
      {"0.3333333333333333333h", 1'200'000'000'000},
      {"9007199254740993ns", 9007199254740993},
  };
  for (const auto& [text, nanos] : known) {
    ASSERT_TRUE(parseDuration(text).ok()) << text;
    EXPECT_EQ(parseDuration(text)->count(), nanos) << text;
  }
}

TEST(Durations, RefuseTheRest) {
  for (const char* bad : {"",
                          "3",
                          "-",
                          "s",
                          ".",
                          "-.",
                          ".s",
                          "+.s",
                          "1d",
                          "1 s",
                          "1s ",
                          "--1s",
                          "1e3s",
                          "\xff\xff",
                          "9223372036854775808ns",
                          "9223372036854775.808us",
                          "9223372036854ms775us808ns",
                          "3000000h",
                          "99999999999999999999s",
                          "-9223372036854775809ns"})
    EXPECT_TRUE(parseDuration(bad).is(Errc::Invalid)) << bad;
}
