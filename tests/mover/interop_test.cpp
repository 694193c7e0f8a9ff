// One end Godwit's, the other VolSync's way of using OpenSSH and rsync, or a person's, or an attacker's.
#include <arpa/inet.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <fmt/core.h>

#include "base/landlock.h"
#include "fixture.h"

namespace godwit::mover {
namespace {

namespace fs = std::filesystem;

class Interop : public MoverTest {
 protected:
  // As VolSync's source does it: same options, one master connection that lingers for 5 s.
  int volsyncPush(const std::string& to = ".") {
    const auto output = run({"rsync", "-aAhHSxz", "--delete", "--itemize-changes", "--info=stats2,misc2", "-e",
                             rsyncShell(5), source() + "/", "127.0.0.1:" + to});
    last_ = output.err;
    return output.status.code;
  }
  std::string last_;
};

TEST_F(Interop, EndsAfterAVolSyncSourceAlthoughItsConnectionLingers) {
  fs::copy("/usr/share/doc/rsync", source(), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  const auto end = destination();
  ASSERT_EQ(volsyncPush(), 0) << last_;
  ASSERT_EQ(volsyncPush(), 0) << last_;
  const auto answer = ssh("shutdown 0", 5);
  EXPECT_EQ(answer.status.code, 0) << answer.err;
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(end->count("Connection closed by"), 0u);
  EXPECT_EQ(run({"rsync", "-anAHSc", "--delete", "--itemize-changes", source() + "/", replica() + "/"}).out, "");
}

TEST_F(Interop, ASignalAfterAnAcceptedShutdownOnlyHastensTheEnd) {
  write(source() + "/a", "1");
  const auto end = destination();
  ASSERT_EQ(volsyncPush(), 0) << last_;
  // The connection lingers, and the destination waits for it for a while.
  EXPECT_EQ(ssh("shutdown 0", 5).status.code, 0);
  if (end->running()) end->signal(SIGTERM);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_TRUE(destinationResult().ok) << destinationResult().error;
}

TEST_F(Interop, ExitsWithTheSourcesCode) {
  write(source() + "/a", "1");
  const auto end = destination();
  ASSERT_EQ(volsyncPush(), 0) << last_;
  EXPECT_EQ(ssh("shutdown 42").status.code, 0);
  EXPECT_EQ(end->exitCode(), 42);
}

TEST_F(Interop, RefusesShutdownAfterABrokenTransferAndListensOn) {
  write(source() + "/a", "1");
  const auto end = destination();
  // A receiver whose peer speaks no rsync fails.
  EXPECT_NE(ssh("rsync --server -logDtpre.iLsfxCIvu . .").status.code, 0);
  const auto refused = ssh("shutdown 0");
  EXPECT_EQ(refused.status.code, 1);
  EXPECT_NE(refused.err.find("send it again"), std::string::npos) << refused.err;
  EXPECT_TRUE(end->running());
  ASSERT_EQ(volsyncPush(), 0) << last_;
  EXPECT_EQ(ssh("shutdown 0").status.code, 0);
  EXPECT_EQ(end->exitCode(), 0);
}

TEST_F(Interop, RenumbersNoOwnerThatHasTheNameOfALogin) {
  const auto* sshd = ::getpwnam("sshd");
  if (!sshd) GTEST_SKIP() << "SKIPPED: no account of that name at the source; renumbering is NOT tested";
  write(source() + "/a", "1");
  ASSERT_EQ(::chown((source() + "/a").c_str(), sshd->pw_uid, 4242), 0);
  const auto end = destination();
  if (end->count("no private account view") > 0) GTEST_SKIP() << "SKIPPED: libnss-wrapper is not installed";
  ASSERT_EQ(volsyncPush(), 0) << last_;
  struct stat st {};
  ASSERT_EQ(::stat((replica() + "/a").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, sshd->pw_uid);
  EXPECT_EQ(st.st_gid, 4242u);
}

TEST_F(Interop, SeesWhatAVolSyncSourceChangedWithinOneSecond) {
  writeAt(source() + "/log", "one", 100);
  writeAt(replica() + "/log", "two", 200);
  const auto end = destination();
  ASSERT_EQ(volsyncPush(), 0) << last_;
  EXPECT_EQ(ssh("shutdown 0").status.code, 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(*readFile(replica() + "/log"), "one");
}

TEST_F(Interop, TakesAPushFromAPersonIntoADirectoryAndGivesItBack) {
  write(source() + "/a b/c", "1");
  write(replica() + "/x y/old", "1");
  const auto end = destination();
  ASSERT_EQ(volsyncPush("/x y"), 0) << last_;
  EXPECT_EQ(difference(source(), replica() + "/x y"), "");
  const auto back = run({"rsync", "-a", "-e", rsyncShell(), "127.0.0.1:/x y/", at("back")});
  EXPECT_EQ(back.status.code, 0) << back.err;
  EXPECT_EQ(difference(source(), at("back")), "");
}

TEST_F(Interop, GivesAPersonBackWhatADotInAPathMeans) {
  write(replica() + "/a/b/c", "1");
  const auto end = destination();
  const auto pull = [&](const std::string& options, const std::string& from) {
    fs::remove_all(at("back"));
    const auto pulled = run({"rsync", options, "-e", rsyncShell(5), "127.0.0.1:" + from, at("back/")});
    EXPECT_EQ(pulled.status.code, 0) << pulled.err;
  };
  pull("-a", "a/.");
  EXPECT_TRUE(fs::exists(at("back/b/c")));
  pull("-aR", "a/./b/c");
  EXPECT_TRUE(fs::exists(at("back/b/c")));
  pull("-aR", "/a/b/./");
  EXPECT_TRUE(fs::exists(at("back/c")));
}

TEST_F(Interop, RefusesEverythingElseWithAMessage) {
  const auto end = destination();
  for (const auto* command :
       {"id", "sh -c id", "/bin/sh", "scp -t /", "sftp-server", "rsync -a / /data", "rsync --server --daemon .",
        "rsync --server -K . .", "rsync --server . ../x", "shutdown", "shutdown 256", "shutdown -1", "shutdown 0x",
        "shutdown 0; id", "shutdown $(id)", "diskrsync --target /dev/block", "'", "godwit-info ../.."}) {
    const auto output = ssh(command, 5);
    EXPECT_EQ(output.status.code, 1) << command;
    EXPECT_NE(output.err.find("refused"), std::string::npos) << command << ": " << output.err;
    EXPECT_EQ(output.out, "") << command;
  }
  EXPECT_GE(end->count("refused"), 15u) << "the destination's log tells too";
  EXPECT_TRUE(end->running());
  const auto shell = run(sshOptions(), "id\n");
  EXPECT_NE(shell.status.code, 0);
}

TEST_F(Interop, IdleStrangersCannotKeepTheSourceOut) {
  write(source() + "/a", "1");
  const auto end = destination();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port_));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<UniqueFd> strangers(40);
  for (auto& each : strangers) {
    each = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(each.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  end->line("connection 40 from");
  EXPECT_EQ(send(), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(end->count("Timeout before authentication"), 0u) << "nobody had to wait for ssh's 30 s";
}

TEST_F(Interop, ForwardsNothing) {
  const auto end = destination();
  auto argv = sshOptions();
  argv.insert(argv.end(), {"-W", fmt::format("127.0.0.1:{}", port_), "127.0.0.1"});
  const auto output = run(argv, "x");
  EXPECT_NE(output.status.code, 0);
  EXPECT_EQ(output.out, "");
}

TEST_F(Interop, NeverLeavesTheVolumeThroughALink) {
  if (landlockAbi() == 0) GTEST_SKIP() << "SKIPPED: no Landlock in this kernel; escapes through links are NOT tested";
  write(at("outside/secret"), "untouched");
  const auto end = destination();
  fs::create_directory_symlink(at("outside"), replica() + "/link");
  write(source() + "/secret", "evil");
  EXPECT_NE(volsyncPush("link/"), 0);
  EXPECT_NE(volsyncPush("/link/deeper"), 0);
  // With the options that make a receiver keep or follow what is there already.
  for (const auto& more : {"--temp-dir=link", "--partial-dir=link", "--backup-dir=/link", "--temp-dir=/link"}) {
    run({"rsync", "-a", "-b", "--inplace", more, "-e", rsyncShell(5), source() + "/", "127.0.0.1:."});
  }
  // A file of the same size would have its owner, mode and times set: Landlock does not hold these.
  write(at("more/link/secret"), "UNTOUCHED");
  const auto through = run({"rsync", "-aR", "--no-implied-dirs", "--size-only", "-e", rsyncShell(5),
                            at("more/./link/secret"), "127.0.0.1:."});
  EXPECT_NE(through.err.find("--no-implied-dirs is refused"), std::string::npos) << through.err;
  EXPECT_NE(run({"rsync", "-aKL", "-e", rsyncShell(5), source() + "/", "127.0.0.1:."}).status.code, 0);
  EXPECT_NE(run({"rsync", "-a", "-e", rsyncShell(5), "127.0.0.1:link/secret", at("stolen")}).status.code, 0);
  EXPECT_FALSE(fs::exists(at("stolen")));
  std::size_t outside = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(at("outside"))) ++outside;
  EXPECT_EQ(outside, 1u);
  EXPECT_EQ(*readFile(at("outside/secret")), "untouched");
}

TEST_F(Interop, ReadsNoFilterRulesOutsideOfTheVolume) {
  if (!run({"rsync", "--confine-root=/", "--version"}).status.success())
    GTEST_SKIP() << "SKIPPED: this rsync cannot be bound to a directory; files of filter rules are NOT tested";
  const std::string outside = "/usr/lib/os-release";  // Landlock lets rsync read it
  const auto text = *readFile(outside);
  const auto from = text.find("\nID=") + 1;
  const auto name = text.substr(from, text.find('\n', from) - from);
  const auto end = destination();
  write(replica() + "/" + name, "1");
  write(replica() + "/inside", name + "\n");
  fs::create_symlink(outside, replica() + "/rules");
  const auto pull = [&](const std::string& filter) {
    fs::remove_all(at("back"));
    return run({"rsync", "-a", "--filter=dir-merge,- " + filter, "-e", rsyncShell(5), "127.0.0.1:/", at("back")});
  };
  pull("rules");
  EXPECT_TRUE(fs::exists(at("back/") + name)) << name;
  EXPECT_EQ(pull("inside").status.code, 0);
  EXPECT_TRUE(fs::exists(at("back/inside")));
  EXPECT_FALSE(fs::exists(at("back/") + name));
}

TEST_F(Interop, TakesKeysOfEveryType) {
  write(source() + "/a", "1");
  for (const auto* type : {"rsa", "ecdsa"}) {
    for (const auto* key : {"source", "destination"}) {
      fs::remove(at("keys/") + key);
      run({"ssh-keygen", "-q", "-t", type, "-m", "PEM", "-N", "", "-f", at("keys/") + key});
    }
    const auto end = destination();
    EXPECT_EQ(send(), 0) << type;
    EXPECT_EQ(end->exitCode(), 0) << type;
    port_ = 0;
  }
}

TEST_F(Interop, FallsBackToPlainRsyncTowardsAnOldDestination) {
  write(source() + "/a", "1");
  write(replica() + "/extra", "1");
  const auto end = oldDestination();
  EXPECT_EQ(send(), 0);
  EXPECT_EQ(difference(source(), replica()), "");
  EXPECT_TRUE(fs::exists(at("was-told")));
  EXPECT_EQ(send({"--path", "/new/dir"}), 0);
  EXPECT_EQ(difference(source(), replica() + "/new/dir"), "");
}

constexpr const char* kSaysItIsGodwit =
    "godwit-info*) echo '{\"godwit\": \"1\", \"root\": true, \"free\": 1000000000}';;\n";
constexpr const char* kKillListener = "kill -9 $(awk '{print $4}' /proc/$PPID/stat)";

TEST_F(Interop, SendsAgainToADestinationThatWasStartedAnewBeforeItAccepted) {
  write(source() + "/a", "1");
  const auto dies = oldDestination(fmt::format("{}'shutdown 0') {}; kill -9 $PPID;;", kSaysItIsGodwit, kKillListener));
  const auto start = startSource();
  ASSERT_NE(start->line("trying again"), "");
  const auto end = destination();
  EXPECT_EQ(start->exitCode(), 0) << start->log();
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(end->count("a transfer to the volume started"), 1u) << end->log();
  EXPECT_EQ(sourceResult().warning, "");
}

TEST_F(Interop, ReportsNoSuccessWhenTheConnectionBreaksBeforeADestinationAccepts) {
  write(source() + "/a", "1");
  const auto end =
      oldDestination(fmt::format("{}'shutdown 0') echo >> {}; kill -9 $PPID;;", kSaysItIsGodwit, at("asked")));
  EXPECT_NE(send(), 0);
  EXPECT_NE(sourceResult().error.find("before the destination accepted"), std::string::npos) << sourceResult().error;
  EXPECT_EQ(*readFile(at("asked")), "\n\n");
}

TEST_F(Interop, TakesTheLineOfADestinationForAnExitStatusThatGotLost) {
  write(source() + "/a", "1");
  const auto end = oldDestination(
      fmt::format("{}'shutdown 0') echo accepted; sleep 1; {}; kill -9 $PPID;;", kSaysItIsGodwit, kKillListener));
  EXPECT_EQ(send(), 0) << sourceResult().error;
  EXPECT_EQ(sourceResult().warning, "");
}

TEST_F(Interop, GivesAForeignDestinationThatIsGoneTheBenefitOfTheDoubt) {
  write(source() + "/a", "1");
  const auto end = oldDestination(fmt::format("'shutdown 0') {}; kill -9 $PPID;;", kKillListener));
  EXPECT_EQ(send(), 0) << sourceResult().error;
  EXPECT_NE(sourceResult().warning.find("it has ended"), std::string::npos) << sourceResult().warning;
}

TEST_F(Interop, SaysThatItAccepted) {
  const auto end = destination();
  EXPECT_EQ(ssh("shutdown 0").out, "accepted\n");
  EXPECT_EQ(end->exitCode(), 0);
}

TEST_F(Interop, HoldsBackAnEmptyVolumeFromAnOldDestinationToo) {
  write(replica() + "/precious", "1");
  const auto end = oldDestination();
  EXPECT_EQ(send(), 3);
  EXPECT_TRUE(fs::exists(replica() + "/precious"));
  EXPECT_FALSE(fs::exists(at("was-told")));
}

TEST_F(Interop, HoldsBackAnEmptyVolumeFromAnRsyncThatCountsNoDeletions) {
  write(replica() + "/precious", "1");
  const auto end = oldDestination(
      "'rsync --server '*) eval exec rsync --server --protocol=30 \"${SSH_ORIGINAL_COMMAND#rsync --server}\";;");
  EXPECT_EQ(send(), 3);
  EXPECT_NE(sourceResult().error.find("cannot tell whether the replica is empty"), std::string::npos)
      << sourceResult().error;
  EXPECT_NE(sourceResult().error.find("allow-empty"), std::string::npos) << sourceResult().error;
  EXPECT_TRUE(fs::exists(replica() + "/precious"));
  EXPECT_FALSE(fs::exists(at("was-told")));
  EXPECT_EQ(send({"--allow-empty"}), 0);
  EXPECT_FALSE(fs::exists(replica() + "/precious"));
}

TEST_F(Interop, CountsVanishedFilesUnderDirectOnly) {
  // rsync's place is taken by a program that says what rsync says when files vanish.
  write(at("bin/rsync"), "#!/bin/sh\necho 'file has vanished: \"/data/x\"' >&2\nexit 24\n");
  fs::permissions(at("bin/rsync"), fs::perms::owner_all);
  write(source() + "/a", "1");
  const auto end = destination();
  Running start({MOVER_TOOL, "mover", "source", "--data", source(), "--keys", at("keys"), "--address", "127.0.0.1",
                 "--port", std::to_string(port_), "--direct"},
                at("source.log"),
                {"GODWIT_TERMINATION_LOG=" + at("source.end"), "PATH=" + at("bin") + ":/usr/bin:/bin"});
  EXPECT_EQ(start.exitCode(), 0);
  EXPECT_EQ(sourceResult().vanished, 1);
  EXPECT_NE(sourceResult().warning.find("vanished"), std::string::npos);
}

}  // namespace
}  // namespace godwit::mover
