// What a user does about an iteration that stands still: the mover cannot start, a class does not exist.
#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

using testing::Contains;
using testing::Not;

constexpr const char* kJob = "volsync-rsync-dst-d";

class Stuck : public MiniWorld {
 protected:
  void SetUp() override {
    makeDestination({}, kManual);
    settle();
  }
  std::string job() { return text(get(kinds::kJobs, kJob), "metadata", "uid"); }
  const Json& container() {
    job_ = get(kinds::kJobs, kJob);
    return find(job_, "spec", "template", "spec", "containers")->front();
  }
  void change(const Json& rsync) {
    edit(kinds::kReplicationDestinations, "d", {{"spec", {{"rsync", rsync}}}});
    settle();
  }
  // The pod is there and waits.
  std::string pend(const Json& status = Json::object()) {
    const auto pod = makePod(get(kinds::kJobs, kJob));
    edit(kinds::kPods, pod, {{"status", status}}, kube::Subresource::Status);
    edit(kinds::kPods, pod, {{"status", {{"phase", "Pending"}}}}, kube::Subresource::Status);
    edit(kinds::kJobs, kJob, {{"status", {{"active", 1}}}}, kube::Subresource::Status);
    settle();
    return pod;
  }

 private:
  Json job_;
};

const Json kMemory = {{"moverResources", {{"requests", {{"memory", "64Mi"}}}}}};

TEST_F(Stuck, AMoverThatHasNoPodIsMadeAsTheSpecSaysNow) {
  const auto before = job();
  change(kMemory);
  EXPECT_NE(job(), before);
  EXPECT_EQ(text(container(), "resources", "requests", "memory"), "64Mi");
  EXPECT_EQ(synchronizing(destination()), "True SyncInProgress Synchronization in-progress");
  endMover(Role::Destination);
  settle();
  EXPECT_EQ(destination().status.lastManualSync, "one");
}

TEST_F(Stuck, SoIsOneWhosePodWaits) {
  const auto before = job();
  pend();
  change(kMemory);
  EXPECT_NE(job(), before);
}

TEST_F(Stuck, AnOperatorWithAnotherImageMakesItAnew) {
  const auto before = job();
  pend();
  start();
  settle();
  EXPECT_EQ(job(), before) << "the same options";
  config.moverImage = "registry.example/godwit:2";
  start();
  settle();
  EXPECT_EQ(text(container(), "image"), "registry.example/godwit:2");
}

TEST_F(Stuck, TheNamespaceDecidesAnewWhetherMoversArePrivileged) {
  ASSERT_EQ(number(1, container(), "securityContext", "runAsUser"), 0);
  edit(kinds::kNamespaces, "ns", {{"metadata", {{"annotations", {{"volsync.backube/privileged-movers", "false"}}}}}});
  settle();
  EXPECT_EQ(number(1, container(), "securityContext", "runAsUser"), 1);
}

TEST_F(Stuck, AMoverThatRunsOrHasRunIsLeftToItsEnd) {
  const auto before = job();
  const auto pod = pend();
  edit(kinds::kPods, pod, {{"status", {{"phase", "Running"}}}}, kube::Subresource::Status);
  settle();
  change(kMemory);
  EXPECT_EQ(job(), before);
  ASSERT_TRUE(store->remove(kinds::kPods, {"ns", pod}, {}).ok());
  edit(kinds::kJobs, kJob, {{"status", {{"failed", 1}}}}, kube::Subresource::Status);
  settle();
  EXPECT_EQ(job(), before);
  pend();
  EXPECT_EQ(job(), before);
}

TEST_F(Stuck, AMoverThatRunsUnseenIsLeftToItsEnd) {
  const auto before = job();
  const auto pod = pend();
  faulty->silent = {"pods"};
  edit(kinds::kPods, pod, {{"status", {{"phase", "Running"}}}}, kube::Subresource::Status);
  settle();
  change(kMemory);
  EXPECT_EQ(job(), before);
}

// Its pod may be one that the watch has not shown yet.
TEST_F(Stuck, AMoverWhosePodNobodyHasSeenIsLeft) {
  const auto before = job();
  edit(kinds::kJobs, kJob, {{"status", {{"active", 1}}}}, kube::Subresource::Status);
  settle();
  change(kMemory);
  EXPECT_EQ(job(), before);
}

TEST_F(Stuck, AMoverOfAnEarlierVersionIsLeft) {
  const auto before = job();
  edit(kinds::kJobs, kJob, {{"metadata", {{"annotations", {{"godwit/pod-hash", nullptr}}}}}});
  settle();
  change(kMemory);
  EXPECT_EQ(job(), before);
}

TEST_F(Stuck, APausedMoverIsLeftUntilItMayStart) {
  const auto before = job();
  edit(kinds::kReplicationDestinations, "d", {{"spec", {{"paused", true}}}});
  change(kMemory);
  EXPECT_EQ(job(), before);
  edit(kinds::kReplicationDestinations, "d", {{"spec", {{"paused", false}}}});
  settle();
  EXPECT_NE(job(), before);
}

class StuckVolume : public Stuck {
 protected:
  static constexpr const char* kVolume = "volsync-d-dst";
  void SetUp() override {
    Stuck::SetUp();
    storageRespond = false;
    edit(kinds::kPersistentVolumeClaims, kVolume, {{"status", {{"phase", "Pending"}}}}, kube::Subresource::Status);
    settle();
  }
  Json volume() { return get(kinds::kPersistentVolumeClaims, kVolume); }
};

TEST_F(StuckVolume, IsMadeAnewOfTheClassThatTheSpecNamesNow) {
  const auto before = job();
  change({{"storageClassName", "right"}});
  EXPECT_EQ(text(volume(), "spec", "storageClassName"), "right");
  EXPECT_NE(job(), "");
  EXPECT_NE(job(), before) << "its pod waited for the volume that is gone";
}

TEST_F(StuckVolume, IsMadeAnewOfTheSizeAndAccessModesThatTheSpecNamesNow) {
  change({{"capacity", "3Gi"}});
  EXPECT_EQ(text(volume(), "spec", "resources", "requests", "storage"), "3Gi");
  change({{"accessModes", {"ReadWriteMany"}}});
  EXPECT_EQ(find(volume(), "spec", "accessModes")->front(), "ReadWriteMany");
}

TEST_F(StuckVolume, IsLeftWhenSomethingElseOfTheSpecChanges) {
  const auto before = text(volume(), "metadata", "uid");
  change({{"volumeSnapshotClassName", "other"}});
  EXPECT_EQ(text(volume(), "metadata", "uid"), before);
}

TEST_F(StuckVolume, IsLeftWhenItWasBoundUnseen) {
  const auto before = text(volume(), "metadata", "uid");
  faulty->silent = {"persistentvolumeclaims"};
  edit(kinds::kPersistentVolumeClaims, kVolume, {{"status", {{"phase", "Bound"}}}}, kube::Subresource::Status);
  change({{"storageClassName", "right"}});
  EXPECT_EQ(text(volume(), "metadata", "uid"), before);
}

TEST_F(StuckVolume, OfAnEarlierVersionIsMadeAnewWhenItIsDeleted) {
  edit(kinds::kPersistentVolumeClaims, kVolume, {{"metadata", {{"annotations", {{"godwit/asked", nullptr}}}}}});
  change({{"storageClassName", "right"}});
  EXPECT_EQ(text(volume(), "spec", "storageClassName"), "");
  ASSERT_TRUE(store->remove(kinds::kPersistentVolumeClaims, {"ns", kVolume}, {}).ok());
  settle();
  EXPECT_EQ(text(volume(), "spec", "storageClassName"), "right");
}

TEST_F(Stuck, AnImageIsMadeAnewOfTheClassThatTheSpecNamesNow) {
  storageRespond = false;
  endMover(Role::Destination);
  settle();
  const auto image = names(kinds::kVolumeSnapshots).at(0);
  counted->requests.clear();
  change({{"volumeSnapshotClassName", "right"}});
  EXPECT_EQ(text(get(kinds::kVolumeSnapshots, image), "spec", "volumeSnapshotClassName"), "right");
  EXPECT_THAT(counted->requests, Not(Contains("create jobs")));
}

TEST_F(Stuck, ASnapshotOfTheSourceIsMadeAnewOfTheClassThatTheSpecNamesNow) {
  storageRespond = false;
  startSource("Snapshot");
  edit(kinds::kReplicationSources, "s", {{"spec", {{"rsync", {{"volumeSnapshotClassName", "right"}}}}}});
  settle();
  EXPECT_EQ(text(get(kinds::kVolumeSnapshots, "volsync-s-src"), "spec", "volumeSnapshotClassName"), "right");
}

}  // namespace
}  // namespace godwit::replication
