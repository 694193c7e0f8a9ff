// Block volumes between two real movers: loop devices where the machine has them, else and for most faults regular
// files in their place.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <random>

#include <fmt/core.h>

#include "fixture.h"
#include "mover/block_format.h"

namespace godwit::mover {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::size_t kMiB = 1 << 20;

// A file behind a loop device for as long as it lives.
class Loop {
 public:
  explicit Loop(const std::string& file) {
    const auto made = runProcess({.argv = {"losetup", "-f", "--show", file}});
    if (made.ok() && made->status.success()) path_ = made->out.substr(0, made->out.find('\n'));
  }
  ~Loop() {
    if (!path_.empty()) (void)runProcess({.argv = {"losetup", "-d", path_}}).ok();
  }
  Loop(Loop&&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Waits for the end of every process that has `file` open.
void waitForHolders(const std::string& file) {
  std::error_code ignored;  // processes come and go
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || pid == ::getpid()) continue;
    for (const auto& fd : fs::directory_iterator(entry.path() / "fd", ignored)) {
      if (fs::read_symlink(fd.path(), ignored) != file) continue;
      const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      pollfd ended{process.get(), POLLIN, 0};
      if (process.valid()) EXPECT_EQ(::poll(&ended, 1, 20'000), 1) << pid << " keeps " << file;
      break;
    }
  }
}

class Block : public MoverTest {
 protected:
  void SetUp() override {
    MoverTest::SetUp();
    source_ = at("src.img");
    replica_ = at("dst.img");
  }
  // A file of `size` bytes in which `data` bytes that do not compress lie behind a hole.
  void image(const std::string& path, std::size_t size, std::size_t data, unsigned seed = 1) const {
    const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size)), 0);
    std::minstd_rand random(seed);
    std::string piece(kMiB, '\0');
    ASSERT_NE(::lseek(fd.get(), static_cast<off_t>(size - data), SEEK_SET), -1);
    for (std::size_t left = data; left > 0; left -= std::min(left, kMiB)) {
      for (std::size_t i = 0; i < kMiB; i += 4) {
        const auto word = static_cast<std::uint32_t>(random());
        std::memcpy(piece.data() + i, &word, 4);
      }
      ASSERT_TRUE(writeAll(fd.get(), std::string_view(piece).substr(0, std::min(left, kMiB))).ok());
    }
  }
  bool same() const { return run({"cmp", source(), replica()}).status.success(); }
  std::unique_ptr<Running> blockDestinationAt(const std::string& path) {
    replica_ = path;
    return destination();
  }
  std::unique_ptr<Running> blockDestination() { return destination({"--block"}); }
  int sendBlock(Arguments more = {}) {
    more.push_back("--block");
    return send(std::move(more));
  }
  std::unique_ptr<Running> startBlock() { return startSource({"--block"}); }
  // As in its pod: the device is /dev/block, there is no --data, and root has the capabilities of the pod contract
  // alone.
  Arguments inPod(const std::string& device, const std::string& side, const std::string& arguments) const {
    constexpr const char* kCapabilities =
        "-all,+audit_write,+chown,+dac_override,+fowner,+fsetid,+mknod,+setfcap,+setgid,+setuid,+sys_chroot";
    constexpr const char* kScript =
        "numbers=$(stat -c '%#Hr %#Lr' {0}) && mount -t tmpfs tmpfs /dev && mknod /dev/block b $numbers && "
        "mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9 && mknod -m 666 /dev/random c 1 8 && "
        "exec setpriv --bounding-set {1} --inh-caps {1} --no-new-privs {2} mover {3} --keys {4} {5}";
    return {"unshare", "-m", "sh", "-c",
            fmt::format(kScript, device, kCapabilities, MOVER_TOOL, side, at("keys"), arguments)};
  }
  void expectRefusedShutdown() {
    const auto refused = ssh("shutdown 0");
    EXPECT_EQ(refused.status.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("send it again"));
  }
};

TEST_F(Block, CopiesALoopDeviceAndGivesBackWhatIsZero) {
  image(at("a"), 64 * kMiB, 9 * kMiB + 512);
  image(at("b"), 70 * kMiB, 70 * kMiB, 2);
  const Loop from(at("a")), to(at("b"));
  if (from.path().empty() || to.path().empty()) GTEST_SKIP() << "SKIPPED: no loop devices; real devices are NOT tested";
  source_ = from.path();
  replica_ = to.path();
  const auto end = destination();
  ASSERT_EQ(send(), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_TRUE(run({"cmp", "-n", std::to_string(64 * kMiB), source(), replica()}).status.success());
  struct stat st {};
  ASSERT_EQ(::stat(at("b").c_str(), &st), 0);
  EXPECT_LT(st.st_blocks * 512, 20 << 20) << "nothing was discarded";
  const auto result = sourceResult();
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(result.engine, "block");
  EXPECT_EQ(result.bytesTotal, 64 << 20);
  EXPECT_GT(result.bytesSent, 9 << 20);
  EXPECT_LT(result.bytesSent, 11 << 20);
  EXPECT_THAT(result.digest, HasSubstr("sha256:"));
  EXPECT_EQ(destinationResult().engine, "block");
  EXPECT_TRUE(destinationResult().ok);
}

TEST_F(Block, NeedsNoMoreThanItsPodGives) {
  image(at("a"), 16 * kMiB, kMiB);
  image(at("b"), 16 * kMiB, 16 * kMiB, 2);
  const Loop from(at("a")), to(at("b"));
  if (from.path().empty() || to.path().empty()) GTEST_SKIP() << "SKIPPED: no loop devices; /dev/block is NOT tested";
  { const auto reserve = blockDestinationAt(to.path()); }  // finds a free port and gives it back
  Running end(inPod(to.path(), "destination", fmt::format("--listen 127.0.0.1:{}", port_)), at("destination.log"));
  EXPECT_THAT(end.line("listening on"), HasSubstr("block device /dev/block"));
  Running start(inPod(from.path(), "source", fmt::format("--address 127.0.0.1 --port {} --path /", port_)),
                at("source.log"));
  EXPECT_EQ(start.exitCode(), 0) << start.log();
  EXPECT_EQ(end.exitCode(), 0) << end.log();
  EXPECT_TRUE(run({"cmp", from.path(), to.path()}).status.success());
}

// ramfs cannot punch holes, and a loop device on it cannot discard.
TEST_F(Block, WritesZeroesWhereTheStorageCannotDiscard) {
  fs::create_directory(at("ram"));
  ASSERT_TRUE(run({"mount", "-t", "ramfs", "ramfs", at("ram")}).status.success());
  image(source_, 20 * kMiB, 3 * kMiB);
  {
    image(at("ram/dst"), 20 * kMiB, 18 * kMiB, 2);
    replica_ = at("ram/dst");
    const auto end = blockDestination();
    EXPECT_EQ(sendBlock(), 0);
    EXPECT_EQ(end->exitCode(), 0);
    EXPECT_TRUE(same());
  }
  {
    image(at("ram/dst"), 20 * kMiB, 18 * kMiB, 3);
    const Loop to(at("ram/dst"));
    if (to.path().empty()) {
      (void)run({"umount", at("ram")});
      GTEST_SKIP() << "SKIPPED: no loop devices; BLKZEROOUT is NOT tested";
    }
    replica_ = to.path();
    const auto end = blockDestination();
    EXPECT_EQ(sendBlock(), 0);
    EXPECT_EQ(end->exitCode(), 0);
    EXPECT_TRUE(same());
  }
  EXPECT_TRUE(run({"umount", at("ram")}).status.success());
}

TEST_F(Block, RefusesADeviceThatIsMounted) {
  image(source_, 8 * kMiB, kMiB);
  image(at("b"), 16 * kMiB, 0);
  const Loop to(at("b"));
  if (to.path().empty()) GTEST_SKIP() << "SKIPPED: no loop devices; mounted devices are NOT tested";
  ASSERT_TRUE(run({"mkfs.ext4", "-q", to.path()}).status.success());
  fs::create_directory(at("mnt"));
  ASSERT_TRUE(run({"mount", to.path(), at("mnt")}).status.success());
  replica_ = to.path();
  const auto end = destination();
  EXPECT_THAT(ssh("godwit-block 8388608").err, HasSubstr("is in use on this node"));
  EXPECT_TRUE(end->running());
  EXPECT_TRUE(run({"umount", at("mnt")}).status.success());
}

TEST_F(Block, ShowsProgress) {
  image(source_, 40 * kMiB, 10 * kMiB);
  image(replica_, 40 * kMiB, 0);
  const auto end = blockDestination();
  ASSERT_EQ(sendBlock(), 0);
  const auto progress = parseJson(*readFile(at("progress")));
  ASSERT_TRUE(progress.ok());
  EXPECT_EQ(number(0, *progress, "percent"), 100);
  EXPECT_EQ(number(0, *progress, "bytes"), 40 << 20);
  EXPECT_EQ(number(0, *progress, "etaSeconds"), 0);
  EXPECT_GT(number(0, *progress, "rate"), 0);
}

TEST_F(Block, HoldsBackADeviceOfZeroesUnlessTold) {
  image(source_, 8 * kMiB, 0);
  image(replica_, 8 * kMiB, kMiB);
  const auto before = *readFile(replica_);
  const auto end = blockDestination();
  EXPECT_EQ(sendBlock(), 3);
  EXPECT_THAT(sourceResult().error, HasSubstr("allow-empty"));
  EXPECT_TRUE(*readFile(replica_) == before);
  EXPECT_TRUE(end->running());
  EXPECT_EQ(sendBlock({"--allow-empty"}), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_TRUE(same());
}

TEST_F(Block, SendsZeroesToADeviceOfZeroes) {
  image(source_, 8 * kMiB, 0);
  image(replica_, 8 * kMiB, 0);
  const auto end = blockDestination();
  EXPECT_EQ(sendBlock(), 0);
  EXPECT_EQ(end->exitCode(), 0);
}

TEST_F(Block, WritesNothingToADeviceThatIsTooSmall) {
  image(source_, 8 * kMiB, kMiB);
  image(replica_, 8 * kMiB - 4096, kMiB, 2);
  const auto before = *readFile(replica_);
  const auto end = blockDestination();
  const auto start = startBlock();
  EXPECT_EQ(start->exitCode(), 1);
  EXPECT_THAT(sourceResult().error, HasSubstr("8384512 bytes, the source's 8388608"));
  EXPECT_EQ(start->count("attempt"), 0u);
  EXPECT_THAT(ssh("godwit-block 8388608").err, HasSubstr("8384512 bytes, the source's 8388608"));
  EXPECT_TRUE(*readFile(replica_) == before);
  EXPECT_TRUE(end->running());
}

TEST_F(Block, SaysThatTheVolumesAreOfTwoKinds) {
  image(source_, 8 * kMiB, kMiB);
  image(replica_, 8 * kMiB, 0);
  {
    const auto end = blockDestination();
    const auto image = std::exchange(source_, "");
    write(source() + "/a", "1");
    EXPECT_EQ(send(), 255);
    EXPECT_THAT(sourceResult().error, HasSubstr("volumeMode"));
    source_ = image;
    EXPECT_EQ(sendBlock({"--path", "/sub"}), 1);
    EXPECT_THAT(sourceResult().error, HasSubstr("no paths"));
    EXPECT_TRUE(end->running());
  }
  replica_.clear();
  const auto end = destination();
  EXPECT_EQ(sendBlock(), 1);
  EXPECT_THAT(sourceResult().error, HasSubstr("volumeMode"));
  EXPECT_THAT(ssh("godwit-block 8388608").err, HasSubstr("holds a file system"));
  EXPECT_THAT(ssh("diskrsync --target").err, HasSubstr("holds a file system"));
}

TEST_F(Block, SaysThatTheOtherEndIsNotGodwit) {
  image(source_, 8 * kMiB, kMiB);
  replica_.clear();
  const auto end = oldDestination();
  const auto start = startBlock();
  EXPECT_EQ(start->exitCode(), 1);
  EXPECT_THAT(sourceResult().error, testing::AllOf(HasSubstr("diskrsync"), HasSubstr("Godwit at both ends")));
  EXPECT_EQ(start->count("attempt"), 0u);
}

TEST_F(Block, RefusesWhatNeedsAFileSystem) {
  image(replica_, 8 * kMiB, kMiB);
  const auto before = *readFile(replica_);
  const auto end = blockDestination();
  EXPECT_THAT(ssh("rsync --server -logDtpre.iLsfxCIvu . .").err, HasSubstr("rsync cannot copy devices"));
  EXPECT_THAT(ssh("rsync --server --sender -logDtpre.iLsfxCIvu . .").err, HasSubstr("rsync cannot copy devices"));
  EXPECT_THAT(ssh("diskrsync --target --no-compress").err, HasSubstr("Godwit at both ends"));
  EXPECT_THAT(ssh("godwit-prepare ./x").err, HasSubstr("no paths"));
  EXPECT_THAT(ssh("sh -i").err, HasSubstr("can run here"));
  for (const auto* size : {"", "0", "-1", "1x", "9223372036854775808", "1 2"})
    EXPECT_THAT(ssh(fmt::format("godwit-block {}", size)).err, HasSubstr("usage")) << size;
  EXPECT_TRUE(*readFile(replica_) == before);
}

TEST_F(Block, NeverTakesAStreamThatIsCutOrChangedForAReplica) {
  image(replica_, kMiB, 0);
  const auto end = blockDestination();
  std::string stream;
  BlockEncoder encoder;
  encoder.header(kMiB, stream);
  encoder.data(0, "boot", stream);
  encoder.zeros(4, kMiB - 4, stream);
  encoder.trailer(stream);
  const auto push = [&](std::string_view bytes) {
    auto argv = sshOptions();
    argv.insert(argv.end(), {"127.0.0.1", fmt::format("godwit-block {}", kMiB)});
    return run(argv, bytes);
  };
  for (const std::size_t n : {std::size_t{0}, std::size_t{30}, stream.size() - 41, stream.size() - 1}) {
    EXPECT_THAT(push(std::string_view(stream).substr(0, n)).err, HasSubstr("was cut")) << n;
    expectRefusedShutdown();
  }
  auto changed = stream;
  changed[38] ^= 1;
  EXPECT_THAT(push(changed).err, HasSubstr("digest is wrong"));
  expectRefusedShutdown();
  EXPECT_EQ(push(stream).status.code, 0);
  EXPECT_EQ(ssh("shutdown 0").status.code, 0);
  EXPECT_EQ(end->exitCode(), 0);
}

TEST_F(Block, OutlivesASourceThatDiesMidTransfer) {
  image(source_, 300 * kMiB, 300 * kMiB);
  image(replica_, 300 * kMiB, 0);
  const auto end = blockDestination();
  {
    const auto first = startBlock();
    end->line("a transfer to the volume started");
    first->signal(SIGKILL);
    EXPECT_EQ(first->exitCode(), 128 + SIGKILL);
  }
  expectRefusedShutdown();
  EXPECT_EQ(sendBlock(), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_TRUE(same());
}

TEST_F(Block, SendsAgainWhenTheConnectionBreaks) {
  image(source_, 300 * kMiB, 300 * kMiB);
  image(replica_, 300 * kMiB, 0);
  const auto end = blockDestination();
  const auto start = startBlock();
  end->line("a transfer to the volume started");
  killMasterOf(port_);
  EXPECT_EQ(start->exitCode(), 0);
  EXPECT_EQ(start->count("attempt 2 of 5"), 1u) << start->log();
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_TRUE(same());
}

TEST_F(Block, LeavesNothingThatWritesWhenTheDestinationEnds) {
  image(source_, 300 * kMiB, 300 * kMiB);
  for (const int signal : {SIGTERM, SIGKILL}) {
    image(replica_, 300 * kMiB, 0);
    port_ = 0;
    const auto end = blockDestination();
    const auto start = startBlock();
    end->line("a transfer to the volume started");
    end->signal(signal);
    EXPECT_EQ(end->exitCode(), 128 + signal);
    if (signal == SIGKILL) waitForHolders(replica_);
    // Two reads that are equal only when nobody writes any more.
    EXPECT_EQ(run({"sha256sum", replica_}).out, run({"sha256sum", replica_}).out);
    if (signal == SIGTERM) {
      EXPECT_FALSE(destinationResult().ok);
    }
    start->signal(SIGTERM);
    EXPECT_EQ(start->exitCode(), 128 + SIGTERM);
    EXPECT_FALSE(sourceResult().ok);
  }
}

// A source that hangs, or whose node is cut off, still holds its connection when its successor comes.
TEST_F(Block, ANewTransferTakesThePlaceOfOneThatHangs) {
  image(source_, 200 * kMiB, 200 * kMiB, 1);
  image(replica_, 200 * kMiB, 0);
  const auto end = blockDestination();
  const auto first = startBlock();
  end->line("a transfer to the volume started");
  first->signal(SIGSTOP);
  image(at("newer"), 200 * kMiB, 200 * kMiB, 2);
  source_ = at("newer");
  EXPECT_EQ(sendBlock(), 0);
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(end->count("gives way to a new one"), 1u);
  EXPECT_TRUE(same());
}

}  // namespace
}  // namespace godwit::mover
