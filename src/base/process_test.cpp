#include "base/process.h"

#include <gtest/gtest.h>
#include <signal.h>

using namespace godwit;

TEST(Process, ReportsExitCodeAndOutput) {
  auto run = runProcess({.argv = {"sh", "-c", "cat; echo err >&2; exit 3"}}, "hello");
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_EQ(run->status.code, 3);
  EXPECT_EQ(run->out, "hello");
  EXPECT_EQ(run->err, "err\n");
}

TEST(Process, ExecFailureIsAnErrorOfSpawn) {
  auto spawned = Process::spawn({.argv = {"/no/such/program"}});
  ASSERT_FALSE(spawned.ok());
  EXPECT_EQ(spawned.error().code, Errc::NotFound);
  EXPECT_NE(spawned.error().message.find("/no/such/program"), std::string::npos);
}

TEST(Process, TimeoutKillsTheWholeGroup) {
  auto run = runProcess({.argv = {"sh", "-c", "sleep 100 & sleep 100"}}, {}, std::chrono::milliseconds(50));
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().code, Errc::Timeout);
}

TEST(Process, SignalIsReportedAsShellsDo) {
  auto process = Process::spawn({.argv = {"sleep", "100"}});
  ASSERT_TRUE(process.ok());
  ASSERT_TRUE(process->kill(SIGTERM).ok());
  auto status = process->wait(std::chrono::seconds(10));
  ASSERT_TRUE(status.ok() && status->has_value());
  EXPECT_EQ((*status)->code, 128 + SIGTERM);
  EXPECT_EQ((*status)->signal, SIGTERM);
}

TEST(Process, ChildSeesOnlyMappedDescriptors) {
  auto leak = makePipe();
  ASSERT_TRUE(leak.ok());
  auto run = runProcess({.argv = {"sh", "-c", "ls /proc/self/fd | wc -l"}, .fds = {{5, leak->read.get()}}});
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->out, "5\n");  // 0, 1, 2, 5 and ls's own directory
}

TEST(Process, ChildFindsAPidfdOfItself) {
  for (const int number : {3, 7}) {
    ProcessSpec spec{
        .argv = {"sh", "-c", fmt::format("echo $$; sed -n 's/^Pid:[[:space:]]*//p' /proc/self/fdinfo/{}", number)}};
    spec.ownPidfd = number;
    const auto output = runProcess(spec);
    ASSERT_TRUE(output.ok()) << output.error().message;
    const auto pid = output->out.substr(0, output->out.find('\n') + 1);
    EXPECT_EQ(output->out, pid + pid) << output->err;
  }
}

TEST(Process, LargeOutputDoesNotBlock) {
  auto run = runProcess({.argv = {"sh", "-c", "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"}});
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->out.size(), 1u << 20);
}

TEST(Process, ABlockedSignalWaitsForTheProgram) {
  auto run =
      runProcess({.argv = {"grep", "-c", "^SigBlk:.*4000$", "/proc/self/status"}, .blocked = {SIGTERM}});  // bit 15 - 1
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(run->out, "1\n");
}
