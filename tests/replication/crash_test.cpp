// The controller dies before or after its n-th write, for every n, and its successor finishes the work: nothing is
// lost, nothing leaks, no image goes before its successor is published.
#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Crashes : public MiniWorld, public testing::WithParamInterface<bool> {
 protected:
  // Settles over crashes; checks after every move that the published image exists.
  void settleThroughCrashes() {
    for (int life = 0; life < 3; ++life) {
      try {
        settle();
        return;
      } catch (const sim::Crash&) {
        faulty->crashAtWrite = -1;
        checkImage();
        start();
      }
    }
    ADD_FAILURE() << "crashes more than once";
  }
  void checkImage() {
    const auto image =
        get(kinds::kReplicationDestinations, "d").is_null() ? std::nullopt : destination().status.latestImage;
    if (image) {
      EXPECT_FALSE(get(kinds::kVolumeSnapshots, image->name).is_null()) << "published and gone: " << image->name;
    }
  }
  void iterate(const char* trigger) {
    edit(kinds::kReplicationDestinations, "d", {{"spec", {{"trigger", {{"manual", trigger}}}}}});
    edit(kinds::kReplicationSources, "s", {{"spec", {{"trigger", {{"manual", trigger}}}}}});
    settleThroughCrashes();
    endMover(Role::Destination);
    endMover(Role::Source);
    settleThroughCrashes();
    advance(10min);
    checkImage();
  }
};

TEST_P(Crashes, AtEveryWrite) {
  std::int64_t last = 1;
  for (std::int64_t n = 0; n < last; ++n) {
    SCOPED_TRACE(n);
    auto& world = *this;
    world.controller.reset();
    auto opened = standalone::Store::open({}, clock, random);
    world.store = *std::move(opened);
    world.store->setLogSource([](const auto&, const auto&) { return std::string("log"); });
    world.faulty = std::make_unique<sim::FaultyApi>(*store, clock, random);
    world.counted = std::make_unique<CountingApi>(*faulty);
    put(kinds::kNamespaces, {{"metadata", {{"name", "ns"}}}});
    makePvc("data");
    makeKeys(Role::Source, "keys");
    faulty->crashAtWrite = n;
    faulty->crashBefore = GetParam();
    start();
    makeDestination({}, {{"paused", true}});
    makeSource({{"copyMethod", "Snapshot"}}, {{"paused", true}});
    settleThroughCrashes();
    edit(kinds::kReplicationDestinations, "d", {{"spec", {{"paused", nullptr}}}});
    edit(kinds::kReplicationSources, "s", {{"spec", {{"paused", nullptr}}}});
    iterate("one");
    iterate("two");
    EXPECT_EQ(source().status.lastManualSync, "two");
    EXPECT_EQ(destination().status.lastManualSync, "two");
    EXPECT_FALSE(source().status.lastSyncStartTime);
    EXPECT_FALSE(destination().status.lastSyncStartTime);
    EXPECT_THAT(names(kinds::kJobs), IsEmpty());
    EXPECT_THAT(names(kinds::kVolumeSnapshots), ElementsAre(destination().status.latestImage->name));
    EXPECT_THAT(names(kinds::kPersistentVolumeClaims), ElementsAre("data", "volsync-d-dst"));
    last = std::max(last, faulty->writes);
  }
  EXPECT_GT(last, 20) << "the loop must have covered two whole iterations";
}

INSTANTIATE_TEST_SUITE_P(BeforeAndAfter, Crashes, testing::Bool(),
                         [](const auto& before) { return before.param ? "before" : "after"; });

}  // namespace
}  // namespace godwit::replication
