// Whole iterations: every copy method and trigger, with what is left behind and how many requests it took.
#include <fmt/format.h>

#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class Iteration : public MiniWorld {};

constexpr const char* kInProgress = "True SyncInProgress Synchronization in-progress";
constexpr const char* kWaitingForManual = "False WaitingForManual Waiting for manual trigger";

TEST_F(Iteration, ADestinationPublishesWhereAndHowToReachIt) {
  makeDestination({}, kManual);
  settle();
  const auto d = destination();
  EXPECT_EQ(synchronizing(d), kInProgress);
  EXPECT_EQ(reconciled(d), "True ReconcileComplete Reconcile complete");
  ASSERT_TRUE(d.status.rsync);
  EXPECT_EQ(d.status.rsync->address, "10.99.236.225");
  EXPECT_EQ(d.status.rsync->sshKeys, "volsync-rsync-dst-src-d");
  EXPECT_TRUE(d.status.lastSyncStartTime);
  EXPECT_THAT(names(kinds::kSecrets),
              UnorderedElementsAre("volsync-rsync-dst-main-d", "volsync-rsync-dst-src-d", "volsync-rsync-dst-dest-d"));
  EXPECT_THAT(names(kinds::kJobs), ElementsAre("volsync-rsync-dst-d"));
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), ElementsAre("volsync-d-dst"));
  EXPECT_THAT(names(kinds::kServices), ElementsAre("volsync-rsync-dst-d"));
  EXPECT_THAT(names(kinds::kServiceAccounts), Contains("volsync-dst-d"));
}

TEST_F(Iteration, OfManyNewDestinationsEachHasItsKeysBeforeAnyHasTheRest) {
  makeDestination({}, kManual);
  for (const char* name : {"e", "f"}) {
    Json more = get(kinds::kReplicationDestinations, "d");
    more["metadata"] = {{"name", name}, {"namespace", "ns"}};
    put(kinds::kReplicationDestinations, more);
  }
  settle();
  auto& made = counted->requests;
  EXPECT_EQ(std::count(made.begin(), made.end(), "create secrets"), 9);
  EXPECT_EQ(std::count(made.begin(), made.end(), "create jobs"), 3);
  const auto lastKey = std::find(made.rbegin(), made.rend(), "create secrets").base();
  EXPECT_EQ(std::find(made.begin(), lastKey, "create persistentvolumeclaims"), lastKey);
  EXPECT_EQ(std::find(made.begin(), lastKey, "create services"), lastKey);
}

TEST_F(Iteration, ADestinationMakesAnImageAndCleansUp) {
  makeDestination({}, kManual);
  settle();
  advance(31s);
  endMover(Role::Destination, true, resultMessage(true));
  settle();
  const auto d = destination();
  EXPECT_EQ(synchronizing(d), kWaitingForManual);
  EXPECT_EQ(d.status.lastManualSync, "one");
  EXPECT_FALSE(d.status.lastSyncStartTime);
  EXPECT_EQ(d.status.lastSyncDuration, Duration(31s));
  ASSERT_TRUE(d.status.latestImage);
  EXPECT_EQ(*d.status.latestImage,
            (api::ImageReference{"snapshot.storage.k8s.io", "VolumeSnapshot", "volsync-d-dst-20210114190031"}));
  EXPECT_EQ(d.status.latestMoverStatus->result, "Successful");
  EXPECT_THAT(d.status.latestMoverStatus->logs, HasSubstr("of 3 files"));  // the mover's own summary
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  EXPECT_THAT(names(kinds::kVolumeSnapshots), ElementsAre("volsync-d-dst-20210114190031"));
}

TEST_F(Iteration, TheNextImageIsPublishedBeforeTheOldOneGoes) {
  makeDestination({}, kManual);
  settle();
  endMover(Role::Destination);
  settle();
  const auto first = destination().status.latestImage->name;
  edit(kinds::kReplicationDestinations, "d", {{"spec", {{"trigger", {{"manual", "two"}}}}}});
  settle();
  storageRespond = false;
  endMover(Role::Destination);
  settle();
  EXPECT_EQ(destination().status.latestImage->name, first);
  EXPECT_EQ(names(kinds::kVolumeSnapshots).size(), 2u);
  storageRespond = true;
  settle();
  const auto second = destination().status.latestImage->name;
  EXPECT_GT(second, first) << "later than its predecessor also within one second";
  EXPECT_THAT(names(kinds::kVolumeSnapshots), ElementsAre(second));
}

TEST_F(Iteration, ADirectDestinationPublishesItsVolume) {
  makePvc("mine");
  makeDestination(
      {{"copyMethod", "Direct"}, {"destinationPVC", "mine"}, {"capacity", nullptr}, {"accessModes", nullptr}}, kManual);
  settle();
  endMover(Role::Destination);
  settle();
  EXPECT_EQ(*destination().status.latestImage, (api::ImageReference{"", "PersistentVolumeClaim", "mine"}));
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), ElementsAre("mine"));
}

TEST_F(Iteration, ATemporaryVolumeGoesWithTheIteration) {
  makeDestination({{"cleanupTempPVC", true}}, kManual);
  settle();
  endMover(Role::Destination);
  settle();
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), IsEmpty());
  EXPECT_THAT(names(kinds::kVolumeSnapshots), ElementsAre(destination().status.latestImage->name));
}

class EveryCopyMethod : public Iteration, public testing::WithParamInterface<const char*> {};

TEST_P(EveryCopyMethod, ASourceLeavesNothingBehind) {
  startSource(GetParam());
  EXPECT_EQ(synchronizing(source()), kInProgress);
  EXPECT_THAT(names(kinds::kJobs), ElementsAre("volsync-rsync-src-s"));
  endMover(Role::Source, true, resultMessage(true));
  settle();
  EXPECT_EQ(synchronizing(source()), kWaitingForManual);
  EXPECT_EQ(source().status.lastManualSync, "one");
  EXPECT_FALSE(source().status.latestImage);
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  EXPECT_THAT(names(kinds::kVolumeSnapshots), IsEmpty());
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), ElementsAre("data"));
}

INSTANTIATE_TEST_SUITE_P(Source, EveryCopyMethod, testing::Values("Clone", "Snapshot", "Direct", "None"));

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

TEST_F(Iteration, TakesFewRequests) {
  makePvc("data");
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Direct"}}, kManual);
  makeDestination({}, kManual);
  settle();
  endMover(Role::Source);
  endMover(Role::Destination);
  settle();

  counted->requests.clear();
  edit(kinds::kReplicationSources, "s", {{"spec", {{"trigger", {{"manual", "two"}}}}}});
  settle();
  endMover(Role::Source);
  settle();
  EXPECT_EQ(source().status.lastManualSync, "two");
  EXPECT_LE(counted->requests.size(), 7u) << joined(counted->requests);

  counted->requests.clear();
  edit(kinds::kReplicationDestinations, "d", {{"spec", {{"trigger", {{"manual", "two"}}}}}});
  settle();
  endMover(Role::Destination);
  settle();
  EXPECT_EQ(destination().status.lastManualSync, "two");
  EXPECT_LT(counted->requests.size(), 11u) << joined(counted->requests);
}

TEST_F(Iteration, SettledObjectsCostNothingAfterARestart) {
  makeDestination({}, kManual);
  settle();
  endMover(Role::Destination);
  settle();
  start();
  counted->requests.clear();
  settle();
  std::erase(counted->requests, "create volumepopulators");  // once a life
  for (const auto& request : counted->requests) EXPECT_THAT(request, StartsWith("list ")) << joined(counted->requests);
}

TEST_F(Iteration, AScheduleWaitsForItsInstant) {
  makePvc("data");
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Direct"}}, {{"trigger", {{"schedule", "*/5 * * * *"}}}});
  settle();
  advance(10s);
  endMover(Role::Source);
  settle();
  const auto start = std::chrono::sys_days{std::chrono::year{2021} / 1 / 14} + 19h;
  EXPECT_EQ(source().status.nextSyncTime, TimePoint(start + 5min));
  EXPECT_EQ(synchronizing(source()), "False WaitingForSchedule Waiting for next scheduled synchronization");
  advance(1min);  // past what was to look after the mover
  ASSERT_TRUE(controller->nextDelay());
  EXPECT_EQ(*controller->nextDelay(), Duration(3min + 50s));
  advance(3min + 49s);
  EXPECT_FALSE(source().status.lastSyncStartTime);
  advance(1s);
  EXPECT_EQ(source().status.lastSyncStartTime, TimePoint(start + 5min));
}

TEST_F(Iteration, AMissedIntervalIsCountedOnce) {
  makePvc("data");
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Direct"}}, {{"trigger", {{"schedule", "* * * * *"}}}});
  settle();
  EXPECT_THAT(metrics.render(), HasSubstr("volsync_volume_out_of_sync{method=\"rsync\",obj_name=\"s\","
                                          "obj_namespace=\"ns\",role=\"source\"} 1"));
  endMover(Role::Source);
  settle();
  EXPECT_THAT(metrics.render(), HasSubstr("role=\"source\"} 0"));
  advance(1min);
  advance(5min);
  EXPECT_THAT(metrics.render(), HasSubstr("volsync_volume_out_of_sync{method=\"rsync\",obj_name=\"s\","
                                          "obj_namespace=\"ns\",role=\"source\"} 1"));
  endMover(Role::Source);
  settle();
  EXPECT_THAT(metrics.render(), HasSubstr("volsync_missed_intervals_total{method=\"rsync\",obj_name=\"s\","
                                          "obj_namespace=\"ns\",role=\"source\"} 1"));
}

TEST_F(Iteration, WithoutATriggerTheNextOneFollowsAtOnce) {
  makeDestination({});
  settle();
  endMover(Role::Destination);
  settle();
  EXPECT_TRUE(destination().status.lastSyncTime);
  EXPECT_TRUE(destination().status.lastSyncStartTime);
  EXPECT_EQ(synchronizing(destination()), kInProgress);
  EXPECT_THAT(names(kinds::kJobs), ElementsAre("volsync-rsync-dst-d"));
}

TEST_F(Iteration, AManualValueThatArrivesDuringASourcesIterationAsksForAnother) {
  startSource("Clone");
  edit(kinds::kReplicationSources, "s", {{"spec", {{"trigger", {{"manual", "two"}}}}}});
  settle();
  endMover(Role::Source);
  settle();
  EXPECT_EQ(source().status.lastManualSync, "one");
  EXPECT_TRUE(source().status.lastSyncStartTime);
  endMover(Role::Source);
  settle();
  EXPECT_EQ(source().status.lastManualSync, "two");
}

TEST_F(Iteration, PausingStopsTheMoverAndStartsNoOther) {
  startSource("Direct");
  edit(kinds::kReplicationSources, "s", {{"spec", {{"paused", true}}}});
  settle();
  EXPECT_EQ(number(9, get(kinds::kJobs, "volsync-rsync-src-s"), "spec", "parallelism"), 0);
  EXPECT_THAT(synchronizing(source()), HasSubstr("paused"));
  edit(kinds::kReplicationSources, "s", {{"spec", {{"paused", nullptr}}}});
  settle();
  EXPECT_EQ(number(9, get(kinds::kJobs, "volsync-rsync-src-s"), "spec", "parallelism"), 1);
  EXPECT_EQ(synchronizing(source()), kInProgress);
}

TEST_F(Iteration, APausedNewDestinationPublishesItsAddressButRunsNothing) {
  makeDestination({}, {{"paused", true}});
  settle();
  EXPECT_TRUE(destination().status.rsync->sshKeys);
  EXPECT_FALSE(destination().status.lastSyncStartTime);
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  EXPECT_THAT(synchronizing(destination()), HasSubstr("paused by spec.paused"));
}

TEST_F(Iteration, AFailedMoverIsToldAndStartedAgain) {
  startSource("Direct");
  const auto first = text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid");
  endMover(Role::Source, false, resultMessage(false, "host key mismatch"));
  settle();
  const auto s = source();
  EXPECT_EQ(s.status.latestMoverStatus->result, "Failed");
  EXPECT_THAT(s.status.latestMoverStatus->logs, StartsWith("host key mismatch\n"));
  EXPECT_THAT(synchronizing(s), HasSubstr("the last attempt failed: host key mismatch"));
  EXPECT_THAT(events(), Contains("TransferFailed"));
  EXPECT_NE(text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid"), first);
  EXPECT_TRUE(s.status.lastSyncStartTime);
  endMover(Role::Source);
  settle();
  EXPECT_EQ(source().status.latestMoverStatus->result, "Successful");
  EXPECT_EQ(synchronizing(source()), kWaitingForManual);
}

TEST_F(Iteration, ACopyThatWasNotPointInTimeSaysSo) {
  startSource("Clone");
  edit(kinds::kPersistentVolumeClaims, "volsync-s-src",
       {{"metadata", {{"annotations", {{"godwit/point-in-time", "false"}}}}}});
  endMover(Role::Source);
  settle();
  EXPECT_EQ(synchronizing(source()),
            std::string(kWaitingForManual) + "; not point-in-time: files changed while they were copied");
  edit(kinds::kReplicationSources, "s", {{"metadata", {{"labels", {{"touched", "yes"}}}}}});
  settle();
  EXPECT_THAT(synchronizing(source()), HasSubstr("not point-in-time"));
}

TEST_F(Iteration, TheMoverJoinsThePodThatUsesADirectVolume) {
  makePvc("data");
  makeKeys(Role::Source, "keys");
  const Json toleration = {{"key", "special"}, {"operator", "Exists"}};
  put(kinds::kPods,
      {{"metadata", {{"name", "app"}}},
       {"spec",
        {{"nodeName", "node-7"},
         {"tolerations", Json::array({toleration})},
         {"containers", Json::array({{{"name", "c"}, {"image", "i"}}})},
         {"volumes", Json::array({{{"name", "v"}, {"persistentVolumeClaim", {{"claimName", "data"}}}}})}}}});
  edit(kinds::kPods, "app", {{"status", {{"phase", "Running"}}}}, kube::Subresource::Status);
  makeSource({{"copyMethod", "Direct"}}, kManual);
  settle();
  const auto job = get(kinds::kJobs, "volsync-rsync-src-s");
  EXPECT_EQ(text(job, "spec", "template", "spec", "nodeSelector", "kubernetes.io/hostname"), "node-7");
  EXPECT_EQ(*find(job, "spec", "template", "spec", "tolerations"), Json::array({toleration}));
}

TEST_F(Iteration, CopyTriggersHoldTheCopyBackUntilTheUserSaysSo) {
  makePvc("data", {{"volsync.backube/use-copy-trigger", ""}});
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Clone"}}, kManual);
  settle();
  const auto annotation = [&](const char* key) {
    return text(get(kinds::kPersistentVolumeClaims, "data"), "metadata", "annotations",
                std::string("volsync.backube/") + key);
  };
  EXPECT_EQ(annotation("latest-copy-status"), "WaitingForTrigger");
  EXPECT_EQ(annotation("latest-copy-trigger-waiting-since"), "2021-01-14T19:00:00Z");
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), ElementsAre("data"));
  advance(10min);
  EXPECT_EQ(source().status.latestMoverStatus->result, "Failed");
  EXPECT_THAT(events(), Contains("SrcPVCTimeoutWaitingForCopyTrigger"));
  edit(kinds::kPersistentVolumeClaims, "data",
       {{"metadata", {{"annotations", {{"volsync.backube/copy-trigger", "t1"}}}}}});
  settle();
  EXPECT_EQ(annotation("latest-copy-status"), "Completed");
  EXPECT_EQ(annotation("latest-copy-trigger"), "t1");
  EXPECT_EQ(annotation("latest-copy-trigger-waiting-since"), "");
  endMover(Role::Source);
  settle();
  EXPECT_EQ(source().status.lastManualSync, "one");
}

TEST_F(Iteration, WhatTheUserWantsToKeepIsLetGoInsteadOfDeleted) {
  startSource("Clone");
  edit(kinds::kPersistentVolumeClaims, "volsync-s-src",
       {{"metadata", {{"labels", {{"volsync.backube/do-not-delete", "yes"}}}}}});
  settle();
  endMover(Role::Source);
  settle();
  const auto kept = get(kinds::kPersistentVolumeClaims, "volsync-s-src");
  ASSERT_FALSE(kept.is_null());
  EXPECT_FALSE(find(kept, "metadata", "ownerReferences") && !find(kept, "metadata", "ownerReferences")->empty());
  EXPECT_EQ(find(kept, "metadata", "labels", "volsync.backube/cleanup"), nullptr);
}

TEST_F(Iteration, ADeletedObjectTakesItsChildrenAndSeriesAlong) {
  makeDestination({}, kManual);
  settle();
  ASSERT_TRUE(store->remove(kinds::kReplicationDestinations, {"ns", "d"}, {}).ok());
  settle();
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  EXPECT_THAT(names(kinds::kSecrets), IsEmpty());
  EXPECT_THAT(names(kinds::kServices), IsEmpty());
  EXPECT_THAT(metrics.render(), Not(HasSubstr("obj_name=\"d\"")));
}

}  // namespace
}  // namespace godwit::replication
