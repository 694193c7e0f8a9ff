#include "standalone/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/fd.h"

namespace godwit::standalone {
namespace {

using testing::HasSubstr;
using testing::Not;

class SandboxTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    char dir[] = "/var/tmp/godwit-sandbox.XXXXXX";
    ASSERT_NE(::mkdtemp(dir), nullptr);
    root_ = dir;
    auto opened = Sandbox::open({root_ + "/pods", GetParam(), GODWIT_BINARY});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    sandbox_ = *std::move(opened);
    if (GetParam() && sandbox_->mode() != Sandbox::Mode::Bubblewrap)
      GTEST_SKIP() << "SKIPPED: bubblewrap cannot start here; it is NOT tested";
    if (!GetParam() && sandbox_->mode() != Sandbox::Mode::Landlock)
      GTEST_SKIP() << "SKIPPED: no Landlock here; it is NOT tested";
    ASSERT_TRUE(std::filesystem::create_directories(root_ + "/volume"));
  }
  void TearDown() override {
    sandbox_.reset();
    std::filesystem::remove_all(root_);
  }
  ContainerSpec shell(const std::string& script) const {
    ContainerSpec spec;
    spec.pod = "ns/pod/uid";
    spec.command = {"sh", "-c", script};
    spec.mounts = {{root_ + "/volume", "/data", false, {}},
                   {"", "/keys", true, {{"source", "secret key", 0600}}},
                   {"", "/tmp", false, {}}};
    spec.stateDir = state();
    return spec;
  }
  std::string state() const { return root_ + "/pods/1da177e4-c2de-44a9-8f36-bbbc14a27aff"; }
  std::string log() const {
    const auto content = readFile(state() + "/log");
    return content.ok() ? *content : "";
  }
  static ExitStatus finish(RunningContainer& container) {
    pollfd event{container.eventFd(), POLLIN, 0};
    ::poll(&event, 1, 20'000);
    return container.poll().value_or(ExitStatus{-1, 0});
  }
  ExitStatus run(const std::string& script) {
    auto started = sandbox_->start(shell(script));
    EXPECT_TRUE(started.ok()) << started.error().message;
    return started.ok() ? finish(**started) : ExitStatus{-2, 0};
  }
  std::string root_;
  std::unique_ptr<Sandbox> sandbox_;
};

TEST_P(SandboxTest, TellsOutputExitCodeAndTerminationMessage) {
  EXPECT_EQ(run("echo out; echo err >&2; printf done > $GODWIT_TERMINATION_LOG; exit 7").code, 7);
  EXPECT_EQ(log(), "out\nerr\n");
  EXPECT_EQ(sandbox_->terminationMessage(state()), "done");
}

TEST_P(SandboxTest, KeysAreFileNamesAndNothingElse) {
  for (const char* name : {"", ".", "..", "../../../escaped", "a/b"}) {
    auto spec = shell("true");
    spec.mounts[1].files = {{name, "x", 0600}};
    const auto started = sandbox_->start(spec);
    ASSERT_FALSE(started.ok()) << name;
    EXPECT_THAT(started.error().message, HasSubstr("no file name")) << name;
  }
}

TEST_P(SandboxTest, ShowsVolumeAndKeys) {
  EXPECT_EQ(run("cd ${GODWIT_DATA:-/data} && echo new > file && cat ${GODWIT_KEYS:-/keys}/source && echo t > "
                "${GODWIT_TMP:-/tmp}/t")
                .code,
            0)
      << log();
  EXPECT_EQ(log(), "secret key");
  EXPECT_EQ(*readFile(root_ + "/volume/file"), "new\n");
}

TEST_P(SandboxTest, NothingElseOfTheHostIsWritable) {
  EXPECT_NE(
      run("touch /usr/escaped || touch /etc/escaped || touch /var/tmp/escaped || touch " + root_ + "/escaped").code, 0);
  EXPECT_FALSE(std::filesystem::exists(root_ + "/escaped"));
  EXPECT_NE(run("ln -s /etc/passwd " + state() + "/log.1").code, 0) << "the node would write there";
  EXPECT_FALSE(std::filesystem::is_symlink(state() + "/log.1"));
  EXPECT_NE(run("touch ${GODWIT_KEYS:-/keys}/x").code, 0);
  // The kernel's settings are the host's as well: a core_pattern would run a program outside.
  EXPECT_NE(run("p=$(cat /proc/sys/kernel/core_pattern) && echo \"$p\" > /proc/sys/kernel/core_pattern").code, 0)
      << log();
}

// Contract section 2: these and nothing else, in the fallback as well.
TEST_P(SandboxTest, RootKeepsTenCapabilities) {
  if (::geteuid() != 0) GTEST_SKIP() << "SKIPPED: not root; the capabilities of a mover are NOT tested";
  EXPECT_EQ(run("sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status").code, 0);
  EXPECT_EQ(log(), "00000000a80400db\n");
}

// What a mover accepts: its control socket has to fit into 108 bytes.
TEST_P(SandboxTest, TheTemporaryDirectoryHasAShortName) {
  constexpr std::size_t kMost = 60;
  EXPECT_EQ(run("printf %s ${GODWIT_TMP:-/tmp}").code, 0);
  EXPECT_LE(log().size(), kMost) << log();
}

TEST_P(SandboxTest, SecretsLieNowhereOnDiskAndGoWithThePod) {
  EXPECT_EQ(run("true").code, 0);
  std::string found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    if (entry.is_regular_file() && readFile(entry.path())->find("secret key") != std::string::npos)
      found = entry.path();
  }
  EXPECT_EQ(found, "");
  sandbox_->forget(state());
  EXPECT_FALSE(std::filesystem::exists(state()));
}

TEST_P(SandboxTest, TermReachesTheCommandAndKillEverything) {
  const auto ready = root_ + "/volume/ready";
  ASSERT_EQ(::mkfifo(ready.c_str(), 0600), 0);
  auto started = sandbox_->start(shell("trap 'exit 9' TERM; echo > ${GODWIT_DATA:-/data}/ready; sleep 60 & wait"));
  ASSERT_TRUE(started.ok()) << started.error().message;
  ASSERT_TRUE(readFile(ready).ok());  // opens when the trap stands
  EXPECT_FALSE((*started)->poll());
  (*started)->signal(SIGTERM);
  EXPECT_EQ(finish(**started).code, 9);

  auto second = sandbox_->start(shell("trap '' TERM; echo > ${GODWIT_DATA:-/data}/ready; sleep 60"));
  ASSERT_TRUE(second.ok());
  ASSERT_TRUE(readFile(ready).ok());
  (*second)->kill();
  EXPECT_EQ(finish(**second).code, 137);
}

TEST_P(SandboxTest, AMissingProgramIsAnErrorOrACode) {
  auto spec = shell("");
  spec.command = {"no-such-program"};
  auto started = sandbox_->start(spec);
  if (started.ok()) {
    EXPECT_NE(finish(**started).code, 0);
  } else {
    EXPECT_THAT(started.error().message, HasSubstr("no-such-program"));
  }
}

// A node that is killed the moment it has started something: what outlived it would go on with a volume that another
// mover uses by then, or that is no more.
TEST_P(SandboxTest, NothingOutlivesItsNode) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // whoever outlives the node becomes a child of this process
  constexpr int kContainers = 4;
  const pid_t node = ::fork();
  ASSERT_GE(node, 0);
  if (node == 0) {
    std::vector<std::unique_ptr<RunningContainer>> containers;
    for (int i = 0; i < kContainers; ++i) {
      auto spec = shell(fmt::format("sleep 3; echo > ${{GODWIT_DATA:-/data}}/outlived-{}", i));
      spec.stateDir += std::to_string(i);
      auto started = sandbox_->start(spec);
      if (!started.ok()) ::_exit(1);
      containers.push_back(*std::move(started));
    }
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(node, &status, 0), node);
  EXPECT_TRUE(WIFSIGNALED(status)) << "not all started";
  EXPECT_TRUE(Sandbox::open({root_ + "/pods", GetParam(), GODWIT_BINARY}).ok()) << "the next life";
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  for (const auto& entry : std::filesystem::directory_iterator(root_ + "/volume"))
    ADD_FAILURE() << entry.path().filename();
}

INSTANTIATE_TEST_SUITE_P(Modes, SandboxTest, testing::Values(true, false),
                         [](const auto& chosen) { return chosen.param ? "Bubblewrap" : "Landlock"; });

TEST(SandboxPlan, RootKeepsTheContractsCapabilitiesOnly) {
  HostLayout host;
  host.root = true;
  host.self = "/opt/godwit";
  ContainerSpec spec;
  spec.command = {"godwit", "mover", "source"};
  spec.stateDir = "/s";
  const auto args = bubblewrapArguments(host, spec, {});
  EXPECT_THAT(args, testing::IsSupersetOf({"ALL", "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER",
                                           "CAP_FSETID", "CAP_MKNOD", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETUID",
                                           "CAP_SYS_CHROOT"}));
  EXPECT_EQ(std::count(args.begin(), args.end(), "--cap-add"), 10);
  EXPECT_EQ(args[args.size() - 3], "/run/godwit");
  spec.listenPort = 22;
  EXPECT_THAT(bubblewrapArguments(host, spec, {}), testing::Contains("CAP_NET_BIND_SERVICE"));
}

TEST(SandboxPlan, ReadOnlyVolumesAreBoundReadOnly) {
  ContainerSpec spec;
  spec.stateDir = "/s";
  const auto args = bubblewrapArguments({}, spec, {{"/v", "/data", true}});
  const auto at = std::find(args.begin(), args.end(), "/v");
  ASSERT_NE(at, args.end());
  EXPECT_EQ(*(at - 1), "--ro-bind");
}

}  // namespace
}  // namespace godwit::standalone
