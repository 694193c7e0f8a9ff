#include "mover/unescape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit::mover {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> split(std::string_view text) {
  auto words = splitCommand(text);
  EXPECT_TRUE(words.ok()) << text << ": " << (words.ok() ? "" : words.error().message);
  return words.ok() ? *words : std::vector<std::string>{};
}

std::string refusal(std::string_view text) {
  const auto words = splitCommand(text);
  EXPECT_FALSE(words.ok()) << text;
  return words.ok() ? "" : words.error().message;
}

TEST(SplitCommand, TakesWhatRsyncSends) {
  EXPECT_THAT(split("rsync --server -lHogDtpAXrSxe.iLsfxCIvu --delete . ."),
              ElementsAre("rsync", "--server", "-lHogDtpAXrSxe.iLsfxCIvu", "--delete", ".", "."));
  EXPECT_THAT(split("rsync --server . a\\ b\\'c\\$\\(d\\)\\\\e"),
              ElementsAre("rsync", "--server", ".", "a b'c$(d)\\e"));
  EXPECT_THAT(split("shutdown   0 "), ElementsAre("shutdown", "0"));
  EXPECT_THAT(split(""), ElementsAre());
}

TEST(SplitCommand, KeepsAnEscapedNewlineAndBytesThatAreNotUtf8) {
  EXPECT_THAT(split("a\\\nb \xff\xfe"), ElementsAre("a\nb", "\xff\xfe"));
}

TEST(SplitCommand, UnderstandsQuotesAsAShellDoes) {
  EXPECT_THAT(split(R"('a b'"c d" '' "" "\"\\\n")"), ElementsAre("a bc d", "", "", "\"\\\\n"));
  EXPECT_THAT(split("'$(reboot)' '*'"), ElementsAre("$(reboot)", "*"));
}

TEST(SplitCommand, LeavesWildcardsAsTheyAre) {
  EXPECT_THAT(split("a[1] *? ~"), ElementsAre("a[1]", "*?", "~"));
}

TEST(SplitCommand, RefusesShellSyntaxInsteadOfGuessing) {
  for (const auto* text : {"a;b", "a|b", "a&b", "a>b", "a<b", "a$b", "a`b`", "(a)", "a\nb", "a\rb"}) {
    EXPECT_THAT(refusal(text), HasSubstr("no shell runs here")) << text;
  }
  EXPECT_THAT(refusal("\"$HOME\""), HasSubstr("no shell runs here"));
  EXPECT_THAT(refusal("\"`id`\""), HasSubstr("no shell runs here"));
}

TEST(SplitCommand, RefusesWhatIsUnfinishedOrTooLong) {
  EXPECT_THAT(refusal("a\\"), HasSubstr("backslash"));
  EXPECT_THAT(refusal("'a"), HasSubstr("ends inside"));
  EXPECT_THAT(refusal("\"a"), HasSubstr("ends inside"));
  EXPECT_THAT(refusal(std::string_view("a\0b", 3)), HasSubstr("NUL"));
  EXPECT_THAT(refusal(std::string(kMaxCommandBytes + 1, 'a')), HasSubstr("longer than"));
  std::string many;
  for (std::size_t i = 0; i <= kMaxCommandWords; ++i) many += "a ";
  EXPECT_THAT(refusal(many), HasSubstr("words"));
}

}  // namespace
}  // namespace godwit::mover
