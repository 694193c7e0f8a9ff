#include "cli/cli.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace godwit::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Ran {
  int code;
  std::string out, err;
};

Ran ran(std::vector<std::string> words) {
  words.insert(words.begin(), "godwit");
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run(static_cast<int>(argv.size()), argv.data());
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(CommandLine, HelpListsWhatMainTakesBeforeIt) {
  EXPECT_THAT(ran({"--help"}).out, HasSubstr("\n  mover "));
}

TEST(CommandLine, AMoverAfterOptionsIsToldSo) {
  const auto wrong = ran({"--log-level", "debug", "mover", "source", "--data", "/x"});
  EXPECT_EQ(wrong.code, kUsage);
  EXPECT_THAT(wrong.err, HasSubstr("no options before this word"));
}

TEST(CommandLine, KindsOfKeysAreWords) {
  EXPECT_THAT(ran({"keys", "--help"}).out, AllOf(HasSubstr("ed25519|rsa|ecdsa"), Not(HasSubstr("ENUM"))));
  const auto number = ran({"keys", "pair", "--type", "1"});
  EXPECT_EQ(number.code, kUsage);
  EXPECT_THAT(number.err, HasSubstr("\"1\" is not one of ed25519|rsa|ecdsa"));
  EXPECT_THAT(ran({"keys", "pair", "--type", "ecdsa"}).out, HasSubstr("name: pair-source"));
}

TEST(CommandLine, HelpOfSyncSaysWhatBecomesOfTheTrigger) {
  EXPECT_THAT(ran({"sync", "--help"}).out, HasSubstr("as it was"));
}

}  // namespace
}  // namespace godwit::cli
