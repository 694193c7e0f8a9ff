// Godwit at both ends: what a replica keeps, and what happens when something goes wrong.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

#include "fixture.h"

namespace godwit::mover {
namespace {

namespace fs = std::filesystem;

class Replicate : public MoverTest {};

void makeOddTree(const std::string& root) {
  const auto path = [&](const std::string& name) { return root + "/" + name; };
  fs::create_directories(path("dir/deep"));
  for (const auto& name : {std::string("plain"), std::string("new\nline"), std::string("b\xff\xfe"),
                           std::string(" lead and trail "), std::string("-rf"), std::string("$(reboot);'\"\\*?[x]"),
                           std::string(240, 'n'), std::string("dir/deep/\xc3\xa4")}) {
    ASSERT_TRUE(writeFileAtomic(path(name), "content of " + name, 0640).ok()) << testing::PrintToString(name);
  }
  ASSERT_TRUE(writeFileAtomic(path("empty"), "").ok());
  fs::create_hard_link(path("plain"), path("dir/hard"));
  fs::create_symlink("/etc/nowhere", path("dangling"));
  fs::create_symlink("/etc", path("absolute"));
  fs::create_directory_symlink("dir", path("relative"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  ASSERT_EQ(::mknod(path("null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  const UniqueFd sparse(::open(path("sparse").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::ftruncate(sparse.get(), (2LL << 30) + 4096), 0);
  ASSERT_EQ(::pwrite(sparse.get(), "end", 3, (2LL << 30) + 4093), 3);
  ASSERT_EQ(::setxattr(path("plain").c_str(), "user.godwit", "flies", 5, 0), 0);
  ASSERT_EQ(::chown(path("empty").c_str(), 4321, 50), 0);
  ASSERT_EQ(::chmod(path("dir").c_str(), 02775), 0);
  const timespec times[2] = {{1'000'000'000, 1}, {1'234'567'890, 123'456'789}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path("plain").c_str(), times, 0), 0);
}

TEST_F(Replicate, KeepsEverythingThatRsyncSees) {
  makeOddTree(source());
  ASSERT_TRUE(run({"setfacl", "-m", "u:4321:r", source() + "/empty"}).status.success());
  const auto end = destination();
  ASSERT_EQ(send(), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(difference(source(), replica()), "");
  struct stat st {};
  ASSERT_EQ(::stat((replica() + "/plain").c_str(), &st), 0);
  EXPECT_EQ(st.st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(st.st_nlink, 2u);
  ASSERT_EQ(::stat((replica() + "/sparse").c_str(), &st), 0);
  EXPECT_LT(st.st_blocks * 512, 1 << 20);
  const auto result = sourceResult();
  EXPECT_TRUE(result.ok);
  EXPECT_GT(result.files, 15);
  EXPECT_GT(result.bytesSent, 0);
  EXPECT_TRUE(destinationResult().ok);
}

TEST_F(Replicate, SendsAgainDeletesAndLeavesLostAndFoundAlone) {
  write(source() + "/keep", "1");
  write(source() + "/lost+found/mine", "x");
  write(replica() + "/lost+found/theirs", "x");
  write(replica() + "/extra", "x");
  const auto end = destination();
  ASSERT_EQ(send(), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_FALSE(fs::exists(replica() + "/extra"));
  EXPECT_TRUE(fs::exists(replica() + "/lost+found/theirs"));
  EXPECT_FALSE(fs::exists(replica() + "/lost+found/mine"));
  EXPECT_EQ(sourceResult().deletions, 1);
}

TEST_F(Replicate, SeesAChangeWithinTheSameSecondThatKeepsTheSize) {
  writeAt(source() + "/log", "one", 100);
  writeAt(replica() + "/log", "two", 200);
  const auto end = destination();
  ASSERT_EQ(send(), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(*readFile(replica() + "/log"), "one");
}

TEST_F(Replicate, ADestinationsPathIsTheWholeOfWhatItsSourceSees) {
  write(source() + "/dir/file", "1");
  write(replica() + "/sub/two words/extra", "goes");
  write(replica() + "/beside", "stays");
  const auto end = destination({"--path", "/sub/two words/"});
  ASSERT_EQ(send(), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(difference(source(), replica() + "/sub/two words"), "");
  EXPECT_EQ(*readFile(replica() + "/beside"), "stays");
}

TEST_F(Replicate, ADestinationsPathCannotLeaveItsVolume) {
  fs::create_directory_symlink(root_, replica() + "/out");
  for (const char* path : {"/..", "/out", "/out/in"}) {
    Running end({MOVER_TOOL, "mover", "destination", "--data", replica(), "--keys", at("keys"), "--listen",
                 "127.0.0.1:0", "--path", path},
                at("refused.log"));
    EXPECT_EQ(end.exitCode(), 1) << path;
  }
}

// A file whose content never reached the device: size and time are the source's.
TEST_F(Replicate, WritesEverythingAnewAfterTheStorageLostSomething) {
  writeAt(source() + "/a", "right", 100);
  as_ = {"env", std::string("LD_PRELOAD=") + FAILING_SYNC, "ASAN_OPTIONS=verify_asan_link_order=0"};
  const auto end = destination();
  EXPECT_NE(send(), 0);
  EXPECT_THAT(sourceResult().error, testing::HasSubstr("Input/output error"));
  EXPECT_TRUE(end->running());
  writeAt(replica() + "/a", "wrong", 100);
  const auto again = ssh("shutdown 0");
  EXPECT_EQ(again.status.code, 1);
  EXPECT_THAT(again.err, testing::HasSubstr("send it again"));
  const auto choosy = run({"rsync", "-ac", "-e", rsyncShell(), source() + "/", "127.0.0.1:."});
  EXPECT_THAT(choosy.err, testing::HasSubstr("-c is refused now"));
  EXPECT_EQ(send(), 0) << sourceResult().error;
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(*readFile(replica() + "/a"), "right");
}

TEST_F(Replicate, SaysWhatToDoWhenItEndsWhileItsStorageIsDistrusted) {
  write(source() + "/a", "1");
  as_ = {"env", std::string("LD_PRELOAD=") + FAILING_SYNC, "ASAN_OPTIONS=verify_asan_link_order=0"};
  const auto end = destination();
  EXPECT_NE(send(), 0);
  end->signal(SIGTERM);
  EXPECT_EQ(end->exitCode(), 128 + SIGTERM);
  EXPECT_THAT(destinationResult().error, testing::HasSubstr("delete the destination's volume"));
}

TEST_F(Replicate, HonoursAPathThatDoesNotExistYet) {
  write(source() + "/a", "1");
  write(replica() + "/beside", "untouched");
  const auto end = destination();
  ASSERT_EQ(send({"--path", "/sub/two words"}), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(difference(source(), replica() + "/sub/two words"), "");
  EXPECT_TRUE(fs::exists(replica() + "/beside"));
}

TEST_F(Replicate, LogsInAsAnotherUserAndTakesCarriageReturnsInKeys) {
  write(source() + "/a", "1");
  for (const auto* key : {"source", "source.pub", "destination", "destination.pub"}) {
    auto text = *readFile(at("keys/") + key);
    std::string crlf;
    for (const char c : text) crlf += c == '\n' ? "\r\n" : std::string(1, c);
    while (!crlf.empty() && (crlf.back() == '\n' || crlf.back() == '\r')) crlf.pop_back();
    write(at("keys/") + key, crlf);
  }
  const auto end = destination({"--user", "carrier"});
  if (end->count("no private account view") > 0)
    GTEST_SKIP() << "SKIPPED: libnss-wrapper is not installed, other logins are NOT tested";
  EXPECT_EQ(send({"--user", "carrier"}), 0);
  EXPECT_EQ(end->exitCode(), 0);
}

TEST_F(Replicate, HoldsBackAnEmptyVolumeUnlessTold) {
  write(replica() + "/precious", "1");
  fs::create_directory(source() + "/lost+found");
  const auto end = destination();
  EXPECT_EQ(send(), 3);
  EXPECT_NE(sourceResult().error.find("allow-empty"), std::string::npos);
  EXPECT_TRUE(fs::exists(replica() + "/precious"));
  EXPECT_TRUE(end->running());
  EXPECT_EQ(send({"--allow-empty"}), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_FALSE(fs::exists(replica() + "/precious"));
}

// A file that takes long enough to be caught halfway: much data and few bytes to make it.
void makeLargeFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  std::string block(1 << 20, 'x');
  for (int i = 0; i < 300; ++i) {
    block[0] = static_cast<char>(i);
    ASSERT_TRUE(writeAll(fd.get(), block).ok());
  }
}

TEST_F(Replicate, HoldsBackAVolumeThatWasEmptiedWhileItsMoverWaited) {
  write(source() + "/precious", "1");
  write(replica() + "/precious", "1");
  { const auto reserve = destination(); }  // finds a free port and gives it back
  const auto start = startSource();
  EXPECT_NE(start->line("trying again"), "");
  fs::remove(source() + "/precious");
  const auto end = destination();
  EXPECT_EQ(start->exitCode(), 3);
  EXPECT_TRUE(fs::exists(replica() + "/precious"));
}

// rsync's receiver writes: its sender has listed the source to the end.
bool holdsTemporaryFile(const std::string& volume) {
  for (const auto& entry : fs::directory_iterator(volume)) {
    if (entry.path().filename().string().rfind(".large.", 0) == 0) return true;
  }
  return false;
}

TEST_F(Replicate, HoldsBackAVolumeThatWasEmptiedBetweenTwoAttempts) {
  makeLargeFile(source() + "/large");
  for (const auto& volume : {source(), replica()}) write(volume + "/precious", "1");
  const auto end = destination();
  const auto start = startSource();
  ASSERT_TRUE(waitUntil(replica(), [&] { return holdsTemporaryFile(replica()); })) << end->log();
  for (const auto* file : {"/large", "/precious"}) fs::remove(source() + file);
  killMasterOf(port_);
  EXPECT_EQ(start->exitCode(), 3) << start->log();
  EXPECT_TRUE(fs::exists(replica() + "/precious"));
}

TEST_F(Replicate, SendsAnEmptyVolumeToAnEmptyOne) {
  const auto end = destination();
  EXPECT_EQ(send(), 0);
  EXPECT_EQ(end->exitCode(), 0);
}

TEST_F(Replicate, WaitsForADestinationThatStartsLater) {
  write(source() + "/a", "1");
  { const auto reserve = destination(); }  // finds a free port and gives it back
  const auto start = startSource();
  EXPECT_NE(start->line("trying again"), "");
  const auto end = destination();
  EXPECT_EQ(start->exitCode(), 0);
  EXPECT_EQ(end->exitCode(), 0);
}

TEST_F(Replicate, RefusesAnotherHostKeyAtOnce) {
  const auto end = destination();
  run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at("other")});
  fs::copy_file(at("other.pub"), at("keys/destination.pub"), fs::copy_options::overwrite_existing);
  write(source() + "/a", "1");
  EXPECT_EQ(send(), 255);
  EXPECT_NE(sourceResult().error.find("another host key"), std::string::npos) << sourceResult().error;
  EXPECT_TRUE(end->running());
}

TEST_F(Replicate, SaysThatTheKeyIsRefused) {
  const auto end = destination();
  run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at("other")});
  fs::copy_file(at("other"), at("keys/source"), fs::copy_options::overwrite_existing);
  write(source() + "/a", "1");
  EXPECT_EQ(send(), 255);
  EXPECT_NE(sourceResult().error.find("refuses the key"), std::string::npos) << sourceResult().error;
  EXPECT_EQ(end->count("transfer"), 0u);
}

TEST_F(Replicate, NamesWhatIsWrongWithTheSecretOrTheVolume) {
  port_ = 1;
  fs::remove(at("keys/destination.pub"));
  EXPECT_EQ(send(), 1);
  EXPECT_NE(sourceResult().error.find("destination.pub"), std::string::npos);
  Running end(
      {MOVER_TOOL, "mover", "destination", "--data", at("none"), "--keys", at("keys"), "--listen", "127.0.0.1:0"},
      at("destination.log"));
  EXPECT_EQ(end.exitCode(), 1);
  EXPECT_EQ(end.count("--data"), 1u);
  fs::remove(at("keys/destination"));
  Running second(
      {MOVER_TOOL, "mover", "destination", "--data", replica(), "--keys", at("keys"), "--listen", "127.0.0.1:0"},
      at("destination.log"));
  EXPECT_EQ(second.exitCode(), 1);
  EXPECT_EQ(second.count("has no field destination"), 1u);
}

TEST_F(Replicate, OutlivesASourceThatDiesMidTransfer) {
  makeLargeFile(source() + "/large");
  const auto end = destination();
  {
    const auto first = startSource();
    end->line("a transfer to the volume started");
    first->signal(SIGKILL);
    EXPECT_EQ(first->exitCode(), 128 + SIGKILL);
  }
  EXPECT_EQ(send(), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(difference(source(), replica()), "");
}

// Processes that work in `directory`.
std::vector<std::string> workersIn(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code ignored;  // processes come and go
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    if (fs::read_symlink(entry.path() / "cwd", ignored) == directory) out.push_back(entry.path().filename());
  }
  return out;
}

TEST_F(Replicate, LeavesNothingThatWritesWhenTheDestinationIsToldToStop) {
  makeLargeFile(source() + "/large");
  const auto end = destination();
  const auto start = startSource();
  end->line("a transfer to the volume started");
  end->signal(SIGTERM);
  EXPECT_EQ(end->exitCode(), 128 + SIGTERM);
  EXPECT_THAT(workersIn(replica()), testing::IsEmpty());
  EXPECT_EQ(end->count("the transfer ended with code"), 1u);
  EXPECT_EQ(std::distance(fs::directory_iterator(replica()), fs::directory_iterator()), 0) << "rsync's temporary file";
  start->signal(SIGTERM);
  EXPECT_EQ(start->exitCode(), 128 + SIGTERM);
}

// A storage that hangs holds a process as a stop does: until it is killed, it could write later.
TEST_F(Replicate, LeavesNothingThatWritesThoughRsyncDoesNotHeed) {
  makeLargeFile(source() + "/large");
  const auto end = destination();
  const auto start = startSource();
  end->line("a transfer to the volume started");
  std::vector<std::string> workers;
  while (workers.size() < 2) workers = workersIn(replica());  // rsync's generator and receiver
  for (const auto& worker : workers) ASSERT_EQ(::kill(std::stoi(worker), SIGSTOP), 0);
  end->signal(SIGTERM);
  EXPECT_EQ(end->exitCode(), 128 + SIGTERM);
  EXPECT_THAT(workersIn(replica()), testing::IsEmpty());
  start->signal(SIGTERM);
  EXPECT_EQ(start->exitCode(), 128 + SIGTERM);
}

TEST_F(Replicate, SharesAConnectionAgainAfterItsMasterWasKilled) {
  makeLargeFile(source() + "/large");
  const auto end = destination();
  const auto start = startSource();
  end->line("a transfer to the volume started");
  killMasterOf(port_);
  EXPECT_EQ(start->exitCode(), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(start->count("Control socket"), 0u) << start->log();
  EXPECT_EQ(end->count("connection 3"), 0u) << end->log();
}

TEST_F(Replicate, EndsItsChildrenAndReportsWhenToldToStop) {
  makeLargeFile(source() + "/large");
  const auto end = destination();
  const auto start = startSource();
  end->line("a transfer to the volume started");
  start->signal(SIGTERM);
  EXPECT_EQ(start->exitCode(), 128 + SIGTERM);
  EXPECT_FALSE(sourceResult().ok);
  end->signal(SIGINT);
  EXPECT_EQ(end->exitCode(), 128 + SIGINT);
  EXPECT_FALSE(destinationResult().ok);
  EXPECT_FALSE(destinationResult().error.empty());
}

TEST_F(Replicate, ShowsProgressAsOneLineOfJson) {
  makeLargeFile(source() + "/large");
  const auto end = destination();
  ASSERT_EQ(send(), 0);
  const auto progress = parseJson(*readFile(at("progress")));
  ASSERT_TRUE(progress.ok());
  EXPECT_EQ(number(0, *progress, "percent"), 100);
  EXPECT_EQ(number(0, *progress, "bytes"), 300 << 20);
}

TEST_F(Replicate, SaysThatTheDestinationIsFull) {
  ASSERT_TRUE(run({"mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", replica()}).status.success());
  makeLargeFile(source() + "/large");
  {
    const auto end = destination();
    EXPECT_NE(send(), 0);
    EXPECT_NE(sourceResult().error.find("destination is full"), std::string::npos) << sourceResult().error;
    EXPECT_TRUE(end->running());
  }
  EXPECT_TRUE(run({"umount", replica()}).status.success());
}

}  // namespace
}  // namespace godwit::mover
