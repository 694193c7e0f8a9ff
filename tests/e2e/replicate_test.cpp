// Real programs from end to end: every copy method and trigger, on a tree that careless copies get wrong.
#include <fmt/core.h>

#include <gmock/gmock.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/fd.h"
#include "base/process.h"
#include "pair.h"

namespace godwit::e2e {

namespace r = kube::resources;

namespace {

struct Methods {
  const char* source;
  const char* destination;
  bool pool;  // the source is a volume of the pool
};
class EveryMethod : public testing::TestWithParam<Methods> {};

TEST_P(EveryMethod, AnImageEqualsItsSourceAndFollowsItsChanges) {
  Installation godwit;
  godwit.start();
  if (HasFatalFailure()) return;
  Pair pair(godwit,
            {.sourceMethod = GetParam().source, .destinationMethod = GetParam().destination, .pool = GetParam().pool});
  makeNastyTree(pair.data());
  pair.introduce();
  pair.applySource();
  pair.synced("1");
  pair.waitForImage("");
  EXPECT_EQ(difference(pair.data(), pair.image()), "");

  std::ofstream(pair.data() + "/plain", std::ios::app) << "and more\n";
  std::filesystem::remove_all(pair.data() + "/odd");
  const auto source = pair.sync("2");
  EXPECT_EQ(difference(pair.data(), pair.image()), "");
  EXPECT_EQ(text(source, "status", "latestMoverStatus", "result"), "Successful");
  EXPECT_EQ(godwit.stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Methods, EveryMethod,
                         testing::Values(Methods{"Clone", "Snapshot", true}, Methods{"Snapshot", "Snapshot", true},
                                         Methods{"Direct", "Direct", true}, Methods{"Clone", "Direct", false},
                                         Methods{"Snapshot", "Direct", false}, Methods{"Direct", "Snapshot", false}),
                         [](const auto& each) {
                           return std::string(each.param.source) + "To" + each.param.destination;
                         });

// Ubuntu's AppArmor and containers without user namespaces.
TEST(Fallback, WhereBubblewrapCannotStartMoversRunUnderLandlock) {
  Installation godwit;
  godwit.breakBubblewrap();
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  EXPECT_THAT(godwit.log(), testing::HasSubstr("bubblewrap cannot start here (setting up uid map: Permission denied)"));
  Pair pair(godwit, {});
  makeNastyTree(pair.data());
  pair.introduce();
  pair.applySource();
  pair.synced("1");
  pair.waitForImage("");
  EXPECT_EQ(difference(pair.data(), pair.image()), "");
  EXPECT_EQ(godwit.stop(), 0);
}

class OrdinaryUser : public testing::TestWithParam<bool> {};

// The sandbox's user namespace knows nobody else, so an ACL that names another user cannot be carried through it.
TEST_P(OrdinaryUser, ReplicatesFilesWithAnAclForSomebodyElse) {
  constexpr unsigned kNobody = 65534;
  Installation godwit;
  if (!GetParam()) godwit.breakBubblewrap();
  if (!godwit.runAs(kNobody))
    GTEST_SKIP() << "SKIPPED: needs root, and a build that others may enter; ordinary users are NOT tested";
  godwit.start();
  if (HasFatalFailure()) return;
  Pair pair(godwit, {.sourceMethod = "Direct"});
  std::ofstream(pair.data() + "/shared") << "with somebody\n";
  for (const char* each : {"", "/shared"}) ASSERT_EQ(::chown((pair.data() + each).c_str(), kNobody, kNobody), 0);
  ASSERT_TRUE(runProcess({.argv = {"setfacl", "-m", "u:1:r", pair.data() + "/shared"}}, {}, std::chrono::seconds(10))
                  ->status.success());
  pair.introduce();
  pair.applySource();
  const auto source = pair.synced("1");
  pair.waitForImage("");
  EXPECT_EQ(*readFile(pair.image() + "/shared"), "with somebody\n");
  const bool sandboxed = godwit.log().find("bubblewrap cannot start") == std::string::npos;
  EXPECT_THAT(
      text(source, "status", "latestMoverStatus", "logs"),
      testing::HasSubstr(sandboxed ? "owners, ACLs and devices are not kept" : "owners and devices are not kept"));
  const auto differs =
      difference(pair.data(), std::filesystem::canonical(pair.image()));  // root's rsync follows no link of a user's
  EXPECT_EQ(differs.empty(), !sandboxed) << differs;
  EXPECT_EQ(godwit.stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Sandboxes, OrdinaryUser, testing::Values(true, false),
                         [](const auto& each) { return each.param ? "UnderBubblewrap" : "UnderLandlock"; });

TEST(Places, DirectoriesOfTheHostAtBothEnds) {
  Installation godwit;
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  const auto received = godwit.at("received");
  std::filesystem::create_directory(received);
  std::ofstream(received + "/stray") << "not the source's";
  Pair pair(godwit, {.sourceMethod = "Direct", .destinationMethod = "Direct", .receiver = received});
  makeNastyTree(pair.data());
  pair.introduce();
  pair.applySource();
  pair.synced("1");
  pair.waitForImage("");
  EXPECT_EQ(difference(pair.data(), received), "");
  EXPECT_EQ(std::filesystem::canonical(pair.image()), std::filesystem::canonical(received));
}

TEST(Places, APathBelowTheVolumeLeavesWhatIsBesideIt) {
  Installation godwit;
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  const auto received = godwit.at("received");
  std::filesystem::create_directory(received);
  std::ofstream(received + "/beside") << "stays";
  Pair pair(godwit, {.destinationMethod = "Direct", .moreSource = R"("path": "/sub/two words")", .receiver = received});
  std::ofstream(pair.data() + "/file") << "1";
  pair.introduce();
  pair.applySource();
  pair.synced("1");
  EXPECT_EQ(difference(pair.data(), received + "/sub/two words"), "");
  EXPECT_TRUE(std::filesystem::exists(received + "/beside"));
}

TEST(Places, ADestinationsOwnPathAndUserAreHonoured) {
  Installation godwit;
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  Pair pair(godwit,
            {.moreSource = R"("sshUser": "carrier")", .moreDestination = R"("path": "/in", "sshUser": "carrier")"});
  std::ofstream(pair.data() + "/file") << "1";
  pair.introduce();
  pair.applySource();
  pair.synced("1");
  pair.waitForImage("");
  EXPECT_EQ(difference(pair.data(), pair.image() + "/in"), "");
}

// overlayfs keeps trusted.overlay.* in its directories. No mover has the right to read it; btrfs shows the names even
// so.
TEST(Places, AttributesThatNoMoverMayReadDoNotStopIt) {
  Installation godwit;
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  Pair pair(godwit, {.pool = true});
  std::ofstream(pair.data() + "/file") << "1";
  const int set = ::setxattr((pair.data() + "/file").c_str(), "trusted.godwit", "1", 1, 0) == 0 ? 0 : errno;
  if (set == EPERM) GTEST_SKIP() << "SKIPPED: needs root with CAP_SYS_ADMIN; trusted attributes are NOT tested";
  ASSERT_EQ(set, 0) << std::strerror(set);
  ASSERT_EQ(::setxattr((pair.data() + "/file").c_str(), "user.godwit", "1", 1, 0), 0) << std::strerror(errno);
  pair.introduce();
  pair.applySource();
  pair.synced("1");
  pair.waitForImage("");
  ASSERT_EQ(::removexattr((pair.data() + "/file").c_str(), "trusted.godwit"), 0) << std::strerror(errno);
  EXPECT_EQ(difference(pair.data(), pair.image()), "");
}

// Files come and go all the time in a volume that is read as it is: those that stay arrive.
TEST(Places, FilesThatVanishDuringADirectTransferAreNoFailure) {
  Installation godwit;
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  Pair pair(godwit, {.sourceMethod = "Direct"});
  std::filesystem::create_directories(pair.data() + "/stays");
  makeNastyTree(pair.data() + "/stays");
  pair.introduce();
  std::jthread comingAndGoing([dir = pair.data()](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      std::ofstream(fmt::format("{}/fleeting-{}", dir, i)) << i;
      std::error_code ignored;
      std::filesystem::remove(fmt::format("{}/fleeting-{}", dir, i - 20), ignored);
    }
  });
  pair.applySource();
  const auto source = pair.synced("1");
  comingAndGoing = {};
  pair.waitForImage("");
  EXPECT_EQ(text(source, "status", "latestMoverStatus", "result"), "Successful");
  EXPECT_EQ(difference(pair.data() + "/stays", pair.image() + "/stays"), "");
}

TEST(Triggers, AScheduleFiresAndSaysWhenNext) {
  Installation godwit;
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  Pair pair(godwit, {.trigger = R"({"schedule": "@every 2s"})"});
  pair.introduce();
  std::ofstream(pair.data() + "/file") << "1";
  pair.applySource();
  pair.waitForImage("");
  const auto first = pair.latestImage();
  std::ofstream(pair.data() + "/file") << "22";
  pair.waitForImage(first);
  const auto source = godwit.api().get(r::kReplicationSources, pair.sourceKey());
  ASSERT_TRUE(source.ok()) << source.error().message;
  EXPECT_NE(text(*source, "status", "nextSyncTime"), "");
}

TEST(Triggers, WithoutATriggerOneIterationFollowsTheOther) {
  Installation godwit;
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  Pair pair(godwit, {.trigger = ""});
  pair.introduce();
  pair.applySource();
  pair.waitForImage("");
  pair.waitForImage(pair.latestImage());
}

TEST(Triggers, WithoutATriggerItGoesOnAfterASyncByHand) {
  Installation godwit;
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  Pair pair(godwit, {.trigger = ""});
  pair.introduce();
  pair.applySource();
  const auto done = godwit.godwit({"sync", "-n", pair.here(), "pair", "--timeout", "60"});
  EXPECT_TRUE(done.status.success()) << done.err;
  const auto source = godwit.api().get(r::kReplicationSources, pair.sourceKey());
  ASSERT_TRUE(source.ok()) << source.error().message;
  EXPECT_EQ(text(*source, "spec", "trigger", "manual"), "") << *source;
  const auto synced = text(*source, "status", "lastSyncTime");
  godwit.until(r::kReplicationSources, pair.sourceKey(),
               [&](const Json& object) { return text(object, "status", "lastSyncTime") != synced; });
}

TEST(Triggers, PausedNothingMovesUntilItIsNot) {
  Installation godwit;
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  Pair pair(godwit, {});
  pair.introduce();
  pair.applySource();
  pair.synced("1");
  ASSERT_TRUE(godwit.api()
                  .patch(r::kReplicationSources, pair.sourceKey(),
                         {{"spec", {{"paused", true}, {"trigger", {{"manual", "2"}}}}}})
                  .ok());
  godwit.until(r::kReplicationSources, pair.sourceKey(), [](const Json& object) {
    return conditionMessage(object, "Synchronizing").find("paused") != std::string::npos;
  });
  const auto job = godwit.api().list(r::kJobs, {.ns = pair.here()});
  ASSERT_TRUE(job.ok());
  for (const auto& each : job->items) EXPECT_EQ(number(1, each, "spec", "parallelism"), 0);
  ASSERT_TRUE(godwit.api().patch(r::kReplicationSources, pair.sourceKey(), {{"spec", {{"paused", false}}}}).ok());
  pair.synced("2");
}

TEST(Leaving, NothingThatGodwitMadeOutlivesItsOwner) {
  Installation godwit;
  godwit.start();
  if (testing::Test::HasFatalFailure()) return;
  Pair pair(godwit, {});
  pair.introduce();
  pair.applySource();
  pair.synced("1");
  pair.waitForImage("");
  ASSERT_TRUE(godwit.api().remove(r::kReplicationSources, pair.sourceKey(), {}).ok());
  ASSERT_TRUE(godwit.api().remove(r::kReplicationDestinations, pair.destinationKey(), {}).ok());
  for (const auto* type : {&r::kJobs, &r::kPods, &r::kServices, &r::kVolumeSnapshots, &r::kVolumeSnapshotContents})
    godwit.untilNone(*type);
  EXPECT_EQ(godwit.stop(), 0);
}

}  // namespace

}  // namespace godwit::e2e
