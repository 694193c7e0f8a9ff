// kill -9 of standalone, movers, sshd and rsync at random moments while writers number their writes: nothing that was
// published is lost, and every image is a point in time of its source.
#include <fmt/core.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>

#include <cstdlib>
#include <map>
#include <random>

#include "base/fd.h"
#include "pair.h"
#include "writer.h"

namespace godwit::e2e {

namespace r = kube::resources;
using namespace std::chrono_literals;

namespace {

int kills() {
  const char* wanted = std::getenv("GODWIT_KILLS");
  return wanted ? std::atoi(wanted) : 200;
}

// A pair that never rests, its writer, and the eye on its images.
struct Lane {
  Lane(Installation& godwit, const std::string& name)
      : pair(godwit, {.name = name, .trigger = "", .pool = true}), writer(pair.data()) {
    pair.introduce();
    pair.applySource();
  }
  void watch() {
    pair.waitForImage("");
    images = std::make_unique<ImageWatch>(pair.image());
  }
  Pair pair;
  Writer writer;
  std::unique_ptr<ImageWatch> images;
};

using Words = std::vector<std::string>;

// Several pairs, because a mover that was killed is started again after ten seconds, as Kubernetes does.
class Kill : public testing::Test {
 protected:
  void SetUp() override {
    godwit_.start();
    if (HasFatalFailure()) return;
    if (mayNotMakePool())
      GTEST_SKIP()
          << "SKIPPED: needs root and the right to mount, for snapshots that are points in time; kill -9 while "
             "volumes replicate is NOT tested";
    for (const auto* name : {"first", "second", "third"}) lanes_.push_back(std::make_unique<Lane>(godwit_, name));
    for (auto& lane : lanes_) lane->watch();
  }

  // For want of rights. With them, a pool of plain directories is a failure, which the lanes find.
  bool mayNotMakePool() const {
    const auto log = godwit_.log();
    const auto at = log.find("no btrfs image (");
    if (at == std::string::npos) return false;
    const auto why = log.substr(at, log.find('\n', at) - at);
    for (const char* want : {"needs root", "ermission denied", "not permitted", "failed to setup loop device"})
      if (why.find(want) != std::string::npos) return true;
    return false;
  }

  // A process of ours with these words, as soon as there is one.
  pid_t awaitChild(const Words& words) {
    const auto deadline = std::chrono::steady_clock::now() + 90s;
    while (std::chrono::steady_clock::now() < deadline) {
      if (const auto found = godwit_.children(words); !found.empty()) return found[random_() % found.size()];
      lanes_[0]->writer.awaitMore(5);
    }
    ADD_FAILURE() << "no process " << words.back() << " for 90 s\n" << godwit_.log();
    return 0;
  }

  // A mover that is just being started must not outlive the node.
  void awaitNewPod() {
    const UniqueFd changes(::inotify_init1(IN_CLOEXEC));
    ASSERT_GE(::inotify_add_watch(changes.get(), godwit_.at("data/pods").c_str(), IN_CREATE), 0);
    pollfd event{changes.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&event, 1, 60'000), 1) << "no mover was started for a minute\n" << godwit_.log();
    lanes_[0]->writer.awaitMore(static_cast<std::int64_t>(random_() % 6));
  }

  void killOne() {
    static const std::vector<Words> victims{
        {"standalone"}, {"mover", "source"}, {"mover", "destination"}, {"sshd"}, {"rsync", "--server"}};
    const auto& victim = victims[random_() % victims.size()];
    const auto moment = static_cast<std::int64_t>(random_() % 150);
    if (victim == victims[0]) {
      if (random_() % 2)
        awaitNewPod();
      else
        lanes_[0]->writer.awaitMore(moment);
      godwit_.kill();
      godwit_.start();
    } else if (awaitChild(victim) != 0) {
      lanes_[0]->writer.awaitMore(moment);
      if (const auto child = awaitChild(victim)) godwit_.end(child);
    }
    ++killed_[fmt::format("{}", fmt::join(victim, " "))];
  }

  void settle(Lane& lane) {
    const auto written = lane.writer.end();
    const auto key = lane.pair.sourceKey();
    ASSERT_TRUE(godwit_.api().patch(r::kReplicationSources, key, {{"spec", {{"trigger", {{"manual", "last"}}}}}}).ok());
    godwit_.until(
        r::kReplicationSources, key,
        [](const Json& object) { return text(object, "status", "lastManualSync") == "last"; }, 5min);
    EXPECT_TRUE(lane.images->awaitHolds(written, 120s))
        << lane.pair.image() << " does not come to hold " << written << "\n"
        << godwit_.log();
    EXPECT_EQ(difference(lane.pair.data(), lane.pair.image()), "");
    EXPECT_EQ(lane.images->sum().holds, written);
  }

  void checkImages() {
    for (auto& lane : lanes_) {
      EXPECT_EQ(lane->images->sum().wrong, "");
      EXPECT_EQ(inspect(lane->pair.image()).wrong, "");  // what can be read now, published a while ago
    }
  }

  Installation godwit_;
  std::mt19937 random_{20260101};
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::map<std::string, int> killed_;
};

TEST_F(Kill, AtRandomMomentsLosesNothing) {
  for (int i = 0; i < kills() && !HasFailure(); ++i) {
    killOne();
    checkImages();
  }
  for (auto& lane : lanes_) {
    if (!HasFailure()) settle(*lane);
  }
  checkImages();
  for (const auto& [victim, times] : killed_) fmt::print("killed {} {} times\n", victim, times);
  for (auto& lane : lanes_)
    fmt::print("{} images, the last holds {} writes\n", lane->images->images(), lane->images->sum().holds);
}

}  // namespace

}  // namespace godwit::e2e
