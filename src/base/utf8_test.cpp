#include "base/utf8.h"

#include <gtest/gtest.h>

using namespace godwit;

TEST(Utf8, WellFormed) {
  EXPECT_EQ(utf8Length("a"), 1u);
  EXPECT_EQ(utf8Length("\xc3\xa9z"), 2u);
  EXPECT_EQ(utf8Length("\xe2\x82\xac"), 3u);
  EXPECT_EQ(utf8Length("\xf4\x8f\xbf\xbf"), 4u);
  EXPECT_TRUE(isUtf8(""));
  EXPECT_TRUE(isUtf8(std::string_view("a\0b\xc3\xa9", 5)));
}

TEST(Utf8, IllFormed) {
  for (const char* bad : {"\x80", "\xc0\x80", "\xc3", "\xc3z", "\xe0\x80\x80", "\xed\xa0\x80", "\xe2\x82",
                          "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_EQ(utf8Length(bad), 0u) << bad;
    EXPECT_FALSE(isUtf8(std::string("ok") + bad)) << bad;
  }
  EXPECT_EQ(utf8Length(""), 0u);
}
