// A destination as a namespace without privileged movers has it: an ordinary user without capabilities, whose group may
// write to a volume that belongs to root.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <gmock/gmock.h>

#include "fixture.h"
#include "mover/foreign_root.h"

namespace godwit::mover {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr unsigned kId = 65532, kNobody = 65534;
constexpr time_t kThen = 1'000'000'000;

class Unprivileged : public MoverTest {
 protected:
  void SetUp() override {
    MoverTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    ASSERT_EQ(::chmod(root_.c_str(), 0755), 0);
    // What the kubelet's fsGroup does to a volume and to a Secret.
    give(replica(), 02775);
    give(at("keys"), 0750);
    for (const auto* field : {"/destination", "/source.pub"}) give(at("keys") + field, 0440);
    as_ = as(kId);
    write(at("destination.end"), "");
    ASSERT_EQ(::chown(at("destination.end").c_str(), kId, kId), 0);
  }
  static Arguments as(unsigned who) {
    const auto id = std::to_string(who);
    return {"setpriv", "--reuid", id, "--regid", id, "--groups", id, "--bounding-set", "-all", "--no-new-privs", "--"};
  }
  void give(const std::string& path, mode_t mode) {
    ASSERT_EQ(::chown(path.c_str(), 0, kId), 0);
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  static void age(const std::string& path) {
    const timespec then[2] = {{kThen, 0}, {kThen, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), then, 0), 0);
  }
  void makeTree(mode_t mode = 0755) {
    write(source() + "/file", "1");
    write(source() + "/dir/deep", "2");
    ASSERT_EQ(::chmod(source().c_str(), mode), 0);
    for (const auto* each : {"/dir", ""}) age(source() + each);
  }
  // As a VolSync source calls it, or a person.
  RunOutput rsync(const std::string& to = ".") const {
    return run({"rsync", "-aAhHSxz", "--delete", "--itemize-changes", "--info=stats2,misc2", "-e", rsyncShell(),
                source() + "/", "127.0.0.1:" + to});
  }
  static time_t timeOf(const std::string& path) {
    struct stat st {};
    return ::stat(path.c_str(), &st) == 0 ? st.st_mtim.tv_sec : -1;
  }
};

TEST_F(Unprivileged, TheVolumesRootKeepsWhatOnlyItsOwnerMayChange) {
  makeTree();
  ASSERT_TRUE(run({"setfacl", "-m", "u:4321:rx", source()}).status.success());
  ASSERT_TRUE(run({"setfacl", "-d", "-m", "u:4321:rx", source()}).status.success());
  const auto end = destination();
  ASSERT_EQ(send(), 0) << end->log();
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(*readFile(replica() + "/dir/deep"), "2");
  EXPECT_EQ(timeOf(replica() + "/dir"), kThen) << "what is its own keeps its time";
  struct stat st {};
  ASSERT_EQ(::stat(replica().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 02775u);
  for (const auto& result : {sourceResult(), destinationResult()}) {
    EXPECT_TRUE(result.ok);
    EXPECT_THAT(result.warning, HasSubstr(std::string(kForeignRoot)));
  }
}

TEST_F(Unprivileged, ASourceWhoseRootNobodyMayWriteTo) {
  makeTree(0555);
  write(replica() + "/extra", "goes");
  const auto end = destination();
  ASSERT_EQ(send(), 0) << end->log();
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_FALSE(fs::exists(replica() + "/extra"));
  EXPECT_EQ(*readFile(replica() + "/file"), "1");
}

TEST_F(Unprivileged, VolSyncsSourceIsServedAsWell) {
  makeTree();
  const auto end = destination();
  const auto sent = rsync();
  EXPECT_TRUE(sent.status.success()) << sent.err;
  EXPECT_EQ(sent.err, "");
  ASSERT_TRUE(ssh("shutdown 0").status.success());
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_THAT(destinationResult().warning, HasSubstr("somebody else"));
}

TEST_F(Unprivileged, ItsOwnRootIsKeptWhole) {
  makeTree();
  ASSERT_EQ(::chown(replica().c_str(), kId, kId), 0);
  const auto end = destination();
  ASSERT_EQ(send(), 0) << end->log();
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(timeOf(replica()), kThen);
  EXPECT_THAT(sourceResult().warning, Not(HasSubstr("somebody else")));
  EXPECT_EQ(destinationResult().warning, "");
}

TEST_F(Unprivileged, ADirectoryThatItMakesBelowAForeignRootIsKeptWhole) {
  makeTree();
  const auto end = destination();
  ASSERT_EQ(send({"--path", "/in"}), 0) << end->log();
  EXPECT_EQ(end->exitCode(), 0);
  EXPECT_EQ(timeOf(replica() + "/in"), kThen);
  EXPECT_THAT(sourceResult().warning, Not(HasSubstr("somebody else")));
}

// Other failures of the same kind must not pass with it.
TEST_F(Unprivileged, ADirectoryOfSomebodyElseBelowTheRootIsAFailure) {
  makeTree();
  fs::create_directory(replica() + "/dir");
  give(replica() + "/dir", 02775);
  const auto end = destination();
  const auto sent = rsync();
  EXPECT_EQ(sent.status.code, 23);
  EXPECT_THAT(sent.err, HasSubstr("/dir\""));
  EXPECT_FALSE(ssh("shutdown 0").status.success());
}

TEST_F(Unprivileged, TheRootIsNotSparedWhereATransferFillsAnotherDirectory) {
  write(source() + "/file", "1");
  write(replica() + "/in/dir/file", "1");
  age(source() + "/file");
  for (const auto* each : {"/in", "/in/dir"}) give(replica() + each, 02775);
  const auto end = destination();
  EXPECT_TRUE(rsync("in/dir").status.success()) << "what is filled is the directory that is named";
  write(source() + "/dir/file", "1");
  EXPECT_EQ(rsync("in").status.code, 23) << "and it alone";
  EXPECT_FALSE(ssh("shutdown 0").status.success());
}

// The source's failures are not repeated at this end: only rsync's own code tells of them.
TEST_F(Unprivileged, WhatTheSourceCannotReadIsAFailureHereToo) {
  makeTree();
  ASSERT_EQ(::chmod((source() + "/file").c_str(), 0600), 0);
  ASSERT_EQ(::chmod(at("keys").c_str(), 0755), 0);
  ASSERT_EQ(::chown(at("keys/source").c_str(), kNobody, kNobody), 0);
  const auto end = destination();
  auto argv = as(kNobody);  // ssh wants a user that has a name
  argv.insert(argv.end(), {"rsync", "-a", "-e", rsyncShell(), source() + "/", "127.0.0.1:."});
  const auto sent = run(argv);
  EXPECT_EQ(sent.status.code, 23) << sent.err;
  EXPECT_THAT(sent.err, HasSubstr("/file\""));
  EXPECT_TRUE(fs::exists(replica() + "/dir/deep"));
  EXPECT_FALSE(ssh("shutdown 0").status.success());
}

}  // namespace
}  // namespace godwit::mover
