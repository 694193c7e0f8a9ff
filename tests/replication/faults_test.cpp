// Random worlds: calls refused, answers lost, events late, repeated or never seen, the controller killed. Every seed
// must end in sync with nothing left behind.
#include <fmt/format.h>

#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Faulty : public MiniWorld {
 protected:
  // A minute or two of a bad day, then a good one.
  void live(int steps, bool calm) {
    for (int i = 0; i < steps; ++i) {
      try {
        controller->pump();
        while (controller->stepOne()) checkImage();
      } catch (const sim::Crash&) {
        start();
      }
      if (calm || random.below(3) == 0) playStorage();
      store->collectGarbage();
      if (random.below(4) == 0) endMovers();
      clock.advance(calm ? 5s : std::chrono::milliseconds(random.below(2000)));
    }
  }
  void endMovers() {
    for (const auto role : {Role::Source, Role::Destination}) {
      const auto job = get(kinds::kJobs, api::jobName(role, role == Role::Source ? "s" : "d"));
      if (!job.is_null() && !find(job, "status", "conditions")) endMover(role, random.below(4) != 0);
    }
  }
  void checkImage() {
    const auto image = destination().status.latestImage;
    if (image) {
      EXPECT_FALSE(get(kinds::kVolumeSnapshots, image->name).is_null()) << "published and gone";
    }
  }
  void ask(const std::string& value) {
    edit(kinds::kReplicationSources, "s", {{"spec", {{"trigger", {{"manual", value}}}}}});
    edit(kinds::kReplicationDestinations, "d", {{"spec", {{"trigger", {{"manual", value}}}}}});
  }
};

class Seeds : public Faulty, public testing::WithParamInterface<int> {};

TEST_P(Seeds, EndInSync) {
  static const char* const kMethods[] = {"Snapshot", "Clone", "Direct"};
  for (int i = 0; i < static_cast<int>(GetParam()); ++i) (void)random.below(2);  // another stream per seed
  makePvc("data");
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", kMethods[GetParam() % 3]}}, {{"trigger", {{"manual", "first"}}}});
  makeDestination({{"cleanupTempPVC", GetParam() % 2 == 0}}, {{"trigger", {{"manual", "first"}}}});
  faulty->faults = {.refuse = 0.05,
                    .loseAnswer = 0.03,
                    .conflict = 0.03,
                    .crash = 0.02,
                    .breakWatch = 0.05,
                    .gone = 0.02,
                    .repeat = 0.1,
                    .maxLag = 3s};
  start();
  for (const auto* value : {"first", "second", "third"}) {
    ask(value);
    live(60, false);
  }
  faulty->faults = {};
  start();
  live(200, true);
  EXPECT_EQ(source().status.lastManualSync, "third") << synchronizing(source());
  EXPECT_EQ(destination().status.lastManualSync, "third") << synchronizing(destination());
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  ASSERT_TRUE(destination().status.latestImage);
  EXPECT_THAT(names(kinds::kVolumeSnapshots), ElementsAre(destination().status.latestImage->name));
  EXPECT_EQ(names(kinds::kPersistentVolumeClaims).size(), GetParam() % 2 == 0 ? 1u : 2u);
}

INSTANTIATE_TEST_SUITE_P(World, Seeds, testing::Range(0, 60));

}  // namespace
}  // namespace godwit::replication
