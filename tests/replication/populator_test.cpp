// Claims that are filled from a ReplicationDestination's image. The test plays provisioner and binder.
#include <fmt/format.h>

#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr const char* kSelectedNode = "volume.kubernetes.io/selected-node";

class Populator : public MiniWorld {
 protected:
  Populator() {
    storageRespond = false;
    makeClass("my-sc", "Immediate");
  }
  void makeClass(const std::string& name, const std::string& binding) {
    put(kinds::kStorageClasses, {{"metadata", {{"name", name}}}, {"provisioner", "p"}, {"volumeBindingMode", binding}});
  }
  void makeClaim(const std::string& storageClass = "my-sc") {
    put(kinds::kPersistentVolumeClaims,
        {{"metadata", {{"name", "restored"}}},
         {"spec",
          {{"accessModes", {"ReadWriteMany", "ReadOnlyMany"}},
           {"storageClassName", storageClass},
           {"resources", {{"requests", {{"storage", "1Gi"}}}}},
           {"dataSourceRef", {{"apiGroup", "volsync.backube"}, {"kind", "ReplicationDestination"}, {"name", "d"}}}}}});
    settle();
  }
  void makeSnapshot(const std::string& name) {
    const Json owner = {{"apiVersion", api::kApiVersion},
                        {"kind", "ReplicationDestination"},
                        {"name", "d"},
                        {"uid", text(get(kinds::kReplicationDestinations, "d"), "metadata", "uid")},
                        {"controller", true}};
    put(kinds::kVolumeSnapshots, {{"metadata",
                                   {{"name", name},
                                    {"labels", {{api::kCreatedByLabel, api::kCreatedByValue}}},
                                    {"ownerReferences", Json::array({owner})}}},
                                  {"spec", {{"source", {{"persistentVolumeClaimName", "volsync-d-dst"}}}}}});
    edit(kinds::kVolumeSnapshots, name, {{"status", {{"readyToUse", true}, {"restoreSize", "2Gi"}}}},
         kube::Subresource::Status);
  }
  void publish(const std::string& image) {
    makeSnapshot(image);
    edit(kinds::kReplicationDestinations, "d",
         {{"status",
           {{"latestImage", {{"apiGroup", "snapshot.storage.k8s.io"}, {"kind", "VolumeSnapshot"}, {"name", image}}}}}},
         kube::Subresource::Status);
    settle();
  }
  // A destination that is done, with an image.
  void makeDestinationWith(const std::string& image) {
    makeDestination({}, {{"paused", true}});
    settle();
    publish(image);
  }
  Json claim() { return get(kinds::kPersistentVolumeClaims, "restored"); }
  std::string primeName() { return "volsync-vp-" + text(claim(), "metadata", "uid"); }
  Json prime() { return get(kinds::kPersistentVolumeClaims, primeName()); }
  void bind(const std::string& name, const std::string& volume) {
    edit(kinds::kPersistentVolumeClaims, name, {{"spec", {{"volumeName", volume}}}});
    edit(kinds::kPersistentVolumeClaims, name, {{"status", {{"phase", "Bound"}}}}, kube::Subresource::Status);
  }
  void provision() {
    put(kinds::kPersistentVolumes,
        {{"metadata", {{"name", "pv"}}},
         {"spec",
          {{"claimRef", {{"name", primeName()}, {"namespace", "ns"}, {"uid", text(prime(), "metadata", "uid")}}}}}});
    bind(primeName(), "pv");
    settle();
  }
  std::string holder() { return text(get(kinds::kPersistentVolumes, "pv"), "spec", "claimRef", "uid"); }
};

TEST_F(Populator, AClaimGetsTheVolumeThatWasMadeFromTheNewestImage) {
  makeDestinationWith("image-1");
  makeClaim();
  ASSERT_FALSE(prime().is_null());
  EXPECT_EQ(text(prime(), "spec", "dataSource", "name"), "image-1");
  EXPECT_EQ(text(prime(), "spec", "dataSource", "apiGroup"), "snapshot.storage.k8s.io");
  EXPECT_EQ(text(prime(), "spec", "storageClassName"), "my-sc");
  EXPECT_EQ(text(prime(), "spec", "resources", "requests", "storage"), "2Gi") << "an image does not fit into less";
  EXPECT_EQ(*find(prime(), "spec", "accessModes"), Json({"ReadWriteMany", "ReadOnlyMany"}));
  EXPECT_THAT(events(), Contains("VolSyncPopulatorPVCCreated"));
  provision();
  EXPECT_EQ(holder(), text(claim(), "metadata", "uid"));
  EXPECT_FALSE(prime().is_null()) << "until the claim is bound";
  bind("restored", "pv");
  settle();
  EXPECT_TRUE(prime().is_null());
  EXPECT_THAT(events(), Contains("VolSyncPopulatorFinished"));
}

TEST_F(Populator, ItWaitsForTheDestinationAndForItsFirstImage) {
  makeClaim();
  EXPECT_THAT(events(), Contains("VolSyncPopulatorReplicationDestinationMissing"));
  makeDestination({}, {{"paused", true}});
  settle();
  EXPECT_THAT(events(), Contains("VolSyncPopulatorReplicationDestinationNoLatestImage"));
  EXPECT_TRUE(prime().is_null());
  publish("image-1");
  EXPECT_EQ(text(prime(), "spec", "dataSource", "name"), "image-1");
}

TEST_F(Populator, ADirectDestinationIsCloned) {
  makeDestination({}, {{"paused", true}});
  makePvc("data");
  edit(kinds::kReplicationDestinations, "d",
       {{"status", {{"latestImage", {{"apiGroup", ""}, {"kind", "PersistentVolumeClaim"}, {"name", "data"}}}}}},
       kube::Subresource::Status);
  makeClaim();
  EXPECT_EQ(text(prime(), "spec", "dataSource", "kind"), "PersistentVolumeClaim");
  EXPECT_EQ(text(prime(), "spec", "dataSource", "name"), "data");
}

TEST_F(Populator, WaitForFirstConsumerFollowsTheSchedulersNode) {
  makeClass("late", "WaitForFirstConsumer");
  makeDestinationWith("image-1");
  makeClaim("late");
  EXPECT_TRUE(prime().is_null());
  edit(kinds::kPersistentVolumeClaims, "restored", {{"metadata", {{"annotations", {{kSelectedNode, "node7"}}}}}});
  settle();
  EXPECT_EQ(text(prime(), "metadata", "annotations", kSelectedNode), "node7");
}

TEST_F(Populator, ANodeWithoutRoomIsGivenBackToTheScheduler) {
  makeClass("late", "WaitForFirstConsumer");
  makeDestinationWith("image-1");
  makeClaim("late");
  edit(kinds::kPersistentVolumeClaims, "restored", {{"metadata", {{"annotations", {{kSelectedNode, "full"}}}}}});
  settle();
  edit(kinds::kPersistentVolumeClaims, primeName(), {{"metadata", {{"annotations", {{kSelectedNode, nullptr}}}}}});
  settle();
  EXPECT_TRUE(prime().is_null());
  EXPECT_EQ(text(claim(), "metadata", "annotations", kSelectedNode), "");
}

TEST_F(Populator, AnImageThatIsReplacedMeanwhileGivesWayToTheNewest) {
  makeDestinationWith("image-1");
  makeClaim();
  publish("image-2");
  EXPECT_EQ(text(prime(), "spec", "dataSource", "name"), "image-1") << "it is still there: what has begun goes on";
  ASSERT_TRUE(store->remove(kinds::kVolumeSnapshots, {"ns", "image-1"}, {}).ok());
  settle();
  EXPECT_EQ(text(prime(), "spec", "dataSource", "name"), "image-2");
}

TEST_F(Populator, AnImageThatIsGoneIsSaidAndTheNextOneIsWaitedFor) {
  makeDestinationWith("image-1");
  ASSERT_TRUE(store->remove(kinds::kVolumeSnapshots, {"ns", "image-1"}, {}).ok());
  settle();
  counted->requests.clear();
  makeClaim();
  advance(59min);  // the kind VolumePopulator is looked for after an hour
  EXPECT_THAT(counted->requests, ElementsAre("get volumesnapshots"));
  EXPECT_THAT(events(), Contains("VolSyncPopulatorImageMissing").Times(1));
  publish("image-2");
  EXPECT_EQ(text(prime(), "spec", "dataSource", "name"), "image-2");
}

TEST_F(Populator, AnImageThatGoesWhileItIsCopiedEndsTheAttempt) {
  makeDestinationWith("image-1");
  makeClaim();
  counted->requests.clear();
  ASSERT_TRUE(store->remove(kinds::kVolumeSnapshots, {"ns", "image-1"}, {}).ok());
  settle();
  EXPECT_THAT(counted->requests,
              ElementsAre("get volumesnapshots", "delete persistentvolumeclaims", "get volumesnapshots"));
  EXPECT_TRUE(prime().is_null());
}

// Its labels decide whether the watch shows it.
TEST_F(Populator, AnImageThatTheWatchDoesNotShowIsAnImage) {
  makeDestinationWith("image-1");
  edit(kinds::kVolumeSnapshots, "image-1", {{"metadata", {{"labels", {{api::kCreatedByLabel, nullptr}}}}}});
  settle();
  makeClaim();
  advance(1h);
  edit(kinds::kPersistentVolumeClaims, primeName(), {{"metadata", {{"labels", {{"touched", "yes"}}}}}});
  settle();
  EXPECT_EQ(text(prime(), "spec", "dataSource", "name"), "image-1");
}

TEST_F(Populator, AMissingClassIsSaidAndTriedAgain) {
  makeDestinationWith("image-1");
  makeClaim("later");
  EXPECT_THAT(events(), Contains("VolSyncPopulatorPVCCreationError"));
  makeClass("later", "Immediate");
  advance(20min);
  EXPECT_FALSE(prime().is_null());
}

TEST_F(Populator, AClaimThatGoesLeavesNothing) {
  makeDestinationWith("image-1");
  makeClaim();
  const auto name = primeName();
  ASSERT_TRUE(store->remove(kinds::kPersistentVolumeClaims, {"ns", "restored"}, {}).ok());
  settle();
  EXPECT_TRUE(get(kinds::kPersistentVolumeClaims, name).is_null());
}

TEST_F(Populator, AVolumeThatSomebodyElseHoldsIsNotTaken) {
  makeDestinationWith("image-1");
  makeClaim();
  put(kinds::kPersistentVolumes, {{"metadata", {{"name", "pv"}}},
                                  {"spec", {{"claimRef", {{"name", "other"}, {"namespace", "ns"}, {"uid", "u"}}}}}});
  bind(primeName(), "pv");
  settle();
  EXPECT_EQ(holder(), "u");
  EXPECT_THAT(events(), Contains("VolSyncPopulatorError"));
}

TEST_F(Populator, ClaimsOfOtherSourcesAreLeftAlone) {
  makeDestinationWith("image-1");
  makePvc("plain");
  put(kinds::kPersistentVolumeClaims, {{"metadata", {{"name", "elsewhere"}}},
                                       {"spec",
                                        {{"dataSourceRef",
                                          {{"apiGroup", "volsync.backube"},
                                           {"kind", "ReplicationDestination"},
                                           {"name", "d"},
                                           {"namespace", "theirs"}}}}}});
  settle();
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), UnorderedElementsAre("plain", "elsewhere"));
}

TEST_F(Populator, WhereItIsSwitchedOffNothingIsLookedAt) {
  config.populator = false;
  makeDestinationWith("image-1");
  EXPECT_THAT(counted->requests, Not(Contains("create volumepopulators")));
  counted->requests.clear();
  makeClaim();
  publish("image-2");
  advance(1h);
  EXPECT_THAT(counted->requests, IsEmpty());
  EXPECT_THAT(events(), Not(Contains(testing::StartsWith("VolSyncPopulator"))));
}

TEST_F(Populator, ItDoesWithoutTheKindAndLooksNowAndThenWhetherItHasCome) {
  settle();
  EXPECT_THAT(counted->requests, Contains("create volumepopulators").Times(1));
  for (int i = 0; i < 6; ++i) advance(1h);
  EXPECT_THAT(counted->requests, Contains("create volumepopulators").Times(7));
}

TEST_F(Populator, AClaimThatIsNeverBoundIsTold) {
  makeDestinationWith("image");
  makeClaim();
  advance(119s);
  EXPECT_THAT(events(), Not(Contains("VolSyncPopulatorPVCNotBound")));
  advance(1s);
  EXPECT_THAT(events(), Contains("VolSyncPopulatorPVCNotBound"));
}

TEST_F(Populator, AMissingRightIsToldAndItsReturnIsNoticed) {
  makeDestinationWith("image");
  makeClaim();
  faulty->forbidden = {"get persistentvolumes"};
  provision();
  EXPECT_THAT(events(), Contains("VolSyncPopulatorError"));
  faulty->forbidden.clear();
  advance(10min);
  EXPECT_EQ(holder(), text(claim(), "metadata", "uid"));
}

}  // namespace
}  // namespace godwit::replication
