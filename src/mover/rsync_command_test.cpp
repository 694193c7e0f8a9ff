#include "mover/rsync_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mover/unescape.h"

namespace godwit::mover {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

Result<RsyncCommand> parse(const std::string& text) {
  auto words = splitCommand(text);
  if (!words.ok()) return words.error();
  return parseRsyncCommand(*words, "/vol");
}

RsyncCommand accepted(const std::string& text) {
  auto command = parse(text);
  EXPECT_TRUE(command.ok()) << text << ": " << (command.ok() ? "" : command.error().message);
  return command.ok() ? *command : RsyncCommand{};
}

std::string refused(const std::string& text) {
  const auto command = parse(text);
  EXPECT_FALSE(command.ok()) << text;
  return command.ok() ? "" : command.error().message;
}

TEST(RsyncCommand, TakesWhatVolSyncSends) {
  const auto command = accepted("rsync --server -vlHogDtpAXrSxze.iLsfxCIvu --delete --log-format=%i . .");
  EXPECT_TRUE(command.pushes());
  EXPECT_THAT(command.options, ElementsAre("--server", "-vlHogDtpAXrSxze.iLsfxCIvu", "--delete", "--log-format=%i"));
  EXPECT_THAT(command.paths, ElementsAre("."));
}

TEST(RsyncCommand, TakesTheProtocolLettersOfEveryClient) {
  for (const auto* letters : {"e.", "e.iLsfxCIvu", "e31.14iLsfxC", "e30.1is", "e.LsfxCIvu_"}) {
    accepted(std::string("rsync --server -logDtpr") + letters + " . .");
  }
}

TEST(RsyncCommand, KnowsReadersAndDryRuns) {
  const auto reader = accepted("rsync --server --sender -logDtpre.iLsfxCIvu . a /b/c/");
  EXPECT_TRUE(reader.sender);
  EXPECT_FALSE(reader.pushes());
  EXPECT_THAT(reader.paths, ElementsAre("./a", "./b/c/"));
  EXPECT_FALSE(reader.namesFollow);
  EXPECT_TRUE(accepted("rsync --server --sender --files-from - --from0 -e.iLsfxCIvu . .").namesFollow);
  accepted("rsync --server --sender -R --no-implied-dirs -e.iLsfxCIvu . a");
  EXPECT_FALSE(accepted("rsync --server -nlogDtpre.iLsfxCIvu . .").pushes());
  EXPECT_FALSE(accepted("rsync --server --sender --list-only -e.iLsfxCIvu . .").pushes());
  // After `e` come letters of the protocol, not options: this `n` is none.
  EXPECT_TRUE(accepted("rsync --server -le.nLsk . .").pushes());
}

TEST(RsyncCommand, KnowsOptionsThatLeaveFilesAloneWhateverTheirTime) {
  EXPECT_EQ(accepted("rsync --server -vlHogDtpAXrSxze.iLsfxCIvu --delete --modify-window=-1 . .").spares, "");
  EXPECT_EQ(accepted("rsync --server -logDtprce.iLsfxCIvu . .").spares, "-c");
  EXPECT_EQ(accepted("rsync --server -ulogDtpre.iLsfxCIvu . .").spares, "-u");
  EXPECT_EQ(accepted("rsync --server --size-only . .").spares, "--size-only");
  EXPECT_EQ(accepted("rsync --server --max-size 5G . .").spares, "--max-size");
}

TEST(RsyncCommand, TakesValuesInBothForms) {
  EXPECT_THAT(
      accepted("rsync --server -B700 -@-1 --timeout=30 --max-size 5G --suffix=.old --info=FLIST2,STATS . .").options,
      ElementsAre("--server", "-B700", "-@-1", "--timeout=30", "--max-size=5G", "--suffix=.old",
                  "--info=FLIST2,STATS"));
}

TEST(RsyncCommand, HoldsDirectoriesOfOptionsInTheVolume) {
  const auto command = accepted("rsync --server --partial-dir .part --link-dest=/old --backup-dir=/ . .");
  EXPECT_THAT(command.options,
              ElementsAre("--server", "--partial-dir=.part", "--link-dest=/vol/old", "--backup-dir=/vol/"));
  EXPECT_THAT(command.optionPaths, ElementsAre("./old", ".", "./.part"));
  EXPECT_THAT(accepted("rsync --server --temp-dir tmp . /a/b/").optionPaths, ElementsAre("./a/b//tmp", "./a/tmp"));
  EXPECT_THAT(accepted("rsync --server --temp-dir tmp . /a").optionPaths, ElementsAre("./a/tmp", "./tmp"));
  for (const auto* option :
       {"--partial-dir=../x", "--temp-dir /a/../../b", "--backup-dir=..", "--compare-dest=a/..", "--copy-dest=../.."}) {
    EXPECT_THAT(refused(std::string("rsync --server ") + option + " . ."), HasSubstr("\"..\"")) << option;
  }
  EXPECT_THAT(refused("rsync --server --temp-dir= . ."), HasSubstr("empty"));
}

TEST(RsyncCommand, RefusesByNameAndReason) {
  const struct {
    const char *options, *reason;
  } kCases[] = {
      {"-K", "symbolic links"},
      {"-lLr", "symbolic links"},
      {"-k", "symbolic links"},
      {"-R --no-implied-dirs", "symbolic links"},
      {"-s", "not be checked"},
      {"--secluded-args", "not be checked"},
      {"--protect-args", "not be checked"},
      {"--copy-unsafe-links", "links out"},
      {"--keep-dirlinks", "symbolic links"},
      {"--log-file=/etc/x", "outside"},
      {"--debug=FILTER", "filter rules"},
      {"--insecure-links", "links out"},
      {"--confine-root=/", "only root"},
      {"--daemon", "daemon"},
      {"--daemon --config=/x", "daemon"},
      {"--write-devices", "devices"},
      {"--copy-devices", "devices"},
      {"--only-write-batch=x", "outside"},
      {"--remove-source-files", "may not delete"},
      {"--rsh=sh", "list"},
      {"--rsync-path=x", "list"},
      {"--config=/x", "list"},
      {"--password-file=x", "list"},
      {"--munge-links", "list"},
      {"--", "without it"},
      {"-f", "list"},
      {"-M--daemon", "list"},
      {"-Txyz", "list"},
      {"-@x", "list"},
      {"--files-from=/etc/passwd", "your end"},
      {"--files-from x", "your end"},
      {"--delete=x", "no value"},
      {"--timeout=1x", "number"},
      {"--timeout=", "number"},
      {"--suffix=../x", "file name"},
      {"--log-format=%\\(x", "characters"},
      {"--info=a\\;b", "characters"},
      {"-e.i\\;x", "malformed"},
      {"-logDtpre.iLs.f", "malformed"},
      {"-logDtprefx.iLs", "malformed"},
      // popt would take the next word as the value of `e`: what is an option here would be none there.
      {"-logDtpRe --sender --no-implied-dirs --size-only", "malformed"},
      {"-logDtpre -n", "malformed"},
      {"-logDtpre31 -n", "malformed"},
      {"--DELETE", "list"},
      {"--del", "list"},
  };
  for (const auto& each : kCases) {
    EXPECT_THAT(refused(std::string("rsync --server ") + each.options + " . ."), HasSubstr(each.reason))
        << each.options;
  }
}

TEST(RsyncCommand, RefusesWhatIsNoServer) {
  EXPECT_THAT(refused("rsync"), HasSubstr("--server"));
  EXPECT_THAT(refused("rsync -a /etc /data"), HasSubstr("--server"));
  EXPECT_THAT(refused("rsync --sender --server . ."), HasSubstr("--server"));
  EXPECT_THAT(refused("rsync --server"), HasSubstr("expected"));
  EXPECT_THAT(refused("rsync --server -l a b"), HasSubstr("expected"));
  EXPECT_THAT(refused("rsync --server --timeout"), HasSubstr("missing"));
  EXPECT_THAT(refused("rsync --server ."), HasSubstr("no path"));
  EXPECT_THAT(refused("rsync --server . a b"), HasSubstr("more than one"));
}

TEST(RsyncCommand, KeepsWhatADotInAPathMeansToAReader) {
  EXPECT_THAT(accepted("rsync --server --sender -r . a/b/.").paths, ElementsAre("./a/b/"));
  EXPECT_THAT(accepted("rsync --server --sender -r . /. . ./").paths, ElementsAre(".", ".", "."));
  EXPECT_THAT(accepted("rsync --server --sender -rR . a/./b /a/b/./c/./d/ ./a /./a a/./").paths,
              ElementsAre("./a/./b", "./a/b/./c/d/", "./a", "./a", "./a/./"));
  EXPECT_THAT(accepted("rsync --server --sender -rR . a//./b/.").paths, ElementsAre("./a/./b/"));
  EXPECT_THAT(accepted("rsync --server --sender -r . a/./b").paths, ElementsAre("./a/b"));
  EXPECT_THAT(accepted("rsync --server --sender -rR --no-relative . a/./b").paths, ElementsAre("./a/b"));
  EXPECT_THAT(refused("rsync --server --sender -rR . a/./../../b"), HasSubstr("\"..\""));
  EXPECT_THAT(refused("rsync --server --sender -rR . ../a/./b"), HasSubstr("\"..\""));
}

TEST(RsyncCommand, HoldsPathsInTheVolume) {
  EXPECT_THAT(accepted("rsync --server . /").paths, ElementsAre("."));
  EXPECT_THAT(accepted("rsync --server . /etc//./passwd").paths, ElementsAre("./etc/passwd"));
  // popt would take an option even here; the prefix makes it a name.
  EXPECT_THAT(accepted("rsync --server . --daemon").paths, ElementsAre("./--daemon"));
  for (const auto* path : {"..", "../x", "a/../b", "/..", "a/.."}) {
    EXPECT_THAT(refused(std::string("rsync --server . ") + path), HasSubstr("\"..\"")) << path;
  }
  EXPECT_THAT(accepted("rsync --server . ..a").paths, ElementsAre("./..a"));
  EXPECT_THAT(refused("rsync --server . " + std::string(5000, 'a')), HasSubstr("longer"));
  EXPECT_THAT(refused("rsync --server . " + std::string(300, 'a')), HasSubstr("255"));
}

}  // namespace
}  // namespace godwit::mover
