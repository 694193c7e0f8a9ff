#include "base/text.h"

#include <gtest/gtest.h>

using namespace godwit;

TEST(Text, CutNeverSplitsACharacter) {
  EXPECT_EQ(cutUtf8("abc", 3), "abc");
  EXPECT_EQ(cutUtf8("abc", 2), "ab");
  EXPECT_EQ(cutUtf8("a\u00e4b", 2), "a");
  EXPECT_EQ(cutUtf8("a\u00e4b", 3), "a\u00e4");
  EXPECT_EQ(cutUtf8("\U0001F426x", 3), "");
  EXPECT_EQ(cutUtf8("\x80\x80\x80", 2), "");
}
