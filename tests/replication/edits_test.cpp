// What users do at an inconvenient moment, and what the watch tells too late.
#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class Edits : public MiniWorld {
 protected:
  void ask(const char* value) {
    edit(kinds::kReplicationDestinations, "d", {{"spec", {{"trigger", {{"manual", value}}}}}});
  }
  void keep(const kube::ResourceType& type, const std::string& name) {
    edit(type, name, {{"metadata", {{"labels", {{"volsync.backube/do-not-delete", ""}}}}}});
  }
  bool owned(const kube::ResourceType& type, const std::string& name) {
    const auto object = get(type, name);
    const Json* owners = find(object, "metadata", "ownerReferences");
    return owners && !owners->empty();
  }
  void destinationAt(const char* pvc) {
    makePvc("a");
    makePvc("b");
    makeDestination({{"destinationPVC", pvc}, {"capacity", nullptr}, {"accessModes", nullptr}}, kManual);
    settle();
  }
  void moveDestinationTo(const char* pvc) {
    edit(kinds::kReplicationDestinations, "d", {{"spec", {{"rsync", {{"destinationPVC", pvc}}}}}});
    settle();
  }
};

TEST_F(Edits, AnImageIsOfTheVolumeThatReceivedTheData) {
  destinationAt("a");
  runMover(Role::Destination);
  moveDestinationTo("b");
  endMover(Role::Destination);
  settle();
  const auto image = destination().status.latestImage;
  ASSERT_TRUE(image);
  EXPECT_THAT(image->name, StartsWith("a-"));
  EXPECT_EQ(text(get(kinds::kVolumeSnapshots, image->name), "spec", "source", "persistentVolumeClaimName"), "a");
  ask("two");
  settle();
  endMover(Role::Destination);
  settle();
  EXPECT_THAT(destination().status.latestImage->name, StartsWith("b-"));
}

TEST_F(Edits, ADirectImageIsTheVolumeThatReceivedTheData) {
  destinationAt("a");
  runMover(Role::Destination);
  edit(kinds::kReplicationDestinations, "d",
       {{"spec", {{"rsync", {{"copyMethod", "Direct"}, {"destinationPVC", "b"}}}}}});
  settle();
  endMover(Role::Destination);
  settle();
  EXPECT_EQ(destination().status.latestImage->name, "a");
}

// It is the only replica until a snapshot of it has been published.
TEST_F(Edits, AVolumeThatIsTheImageOutlivesTheChangeToSnapshots) {
  makeDestination({{"copyMethod", "Direct"}, {"cleanupTempPVC", true}}, kManual);
  settle();
  endMover(Role::Destination);
  settle();
  ASSERT_EQ(destination().status.latestImage->name, "volsync-d-dst");
  edit(kinds::kReplicationDestinations, "d", {{"spec", {{"rsync", {{"copyMethod", "Snapshot"}}}}}});
  settle();
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), ElementsAre("volsync-d-dst"));
  ask("two");
  settle();
  endMover(Role::Destination);
  settle();
  EXPECT_THAT(names(kinds::kVolumeSnapshots), ElementsAre(destination().status.latestImage->name));
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), IsEmpty());
}

TEST_F(Edits, AVolumeThatIsNotThereConcernsTheNextIteration) {
  destinationAt("a");
  runMover(Role::Destination);
  moveDestinationTo("none");
  endMover(Role::Destination);
  settle();
  EXPECT_EQ(destination().status.lastManualSync, "one");
  ask("two");
  settle();
  EXPECT_THAT(synchronizing(destination()),
              HasSubstr("spec.rsync.destinationPVC: PersistentVolumeClaim none not found"));
}

// Its data had arrived before the user asked.
TEST_F(Edits, AManualValueThatArrivesWhileAnImageIsMadeAsksForAnother) {
  makeDestination({}, kManual);
  settle();
  storageRespond = false;
  endMover(Role::Destination);
  settle();
  ask("two");
  settle();
  storageRespond = true;
  settle();
  EXPECT_EQ(destination().status.lastManualSync, "one");
  EXPECT_TRUE(destination().status.lastSyncStartTime);
  endMover(Role::Destination);
  settle();
  EXPECT_EQ(destination().status.lastManualSync, "two");
}

TEST_F(Edits, AnImageNameOfALongPastIterationIsNotUsedAgain) {
  destinationAt("a");
  edit(kinds::kPersistentVolumeClaims, "a",
       {{"metadata", {{"annotations", {{"volsync.backube/snapname", "a-20200101000000"}}}}}});
  endMover(Role::Destination);
  settle();
  EXPECT_EQ(destination().status.latestImage->name, "a-20210114190000");
}

TEST_F(Edits, ARunningSourceFinishesWhateverTheSpecSaysNow) {
  for (const Json& change : {Json{{"sourcePVC", "none"}}, Json{{"rsync", {{"address", nullptr}}}}}) {
    SCOPED_TRACE(change.dump());
    makePvc("data");
    makeKeys(Role::Source, "keys");
    makeSource({{"copyMethod", "Clone"}}, kManual);
    settle();
    runMover(Role::Source);
    edit(kinds::kReplicationSources, "s", {{"spec", change}});
    settle();
    endMover(Role::Source);
    settle();
    EXPECT_EQ(source().status.lastManualSync, "one") << synchronizing(source());
    for (const auto* type :
         {&kinds::kReplicationSources, &kinds::kPersistentVolumeClaims, &kinds::kSecrets, &kinds::kPods}) {
      for (const auto& name : names(*type)) (void)store->remove(*type, {"ns", name}, {}).ok();
    }
    settle();
  }
}

TEST_F(Edits, AJobThatAnEarlierIterationLeftBehindCountsForNothing) {
  startSource("Direct");
  const auto uid = text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid");
  edit(kinds::kJobs, "volsync-rsync-src-s",
       {{"metadata", {{"annotations", {{"godwit/for-sync", "2021-01-14T18:00:00Z"}}}}}});
  endMover(Role::Source);
  settle();
  EXPECT_FALSE(source().status.lastSyncTime);
  EXPECT_NE(text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid"), uid);
}

TEST_F(Edits, APausedIterationThatLosesItsJobStartsNoOther) {
  startSource("Direct");
  edit(kinds::kReplicationSources, "s", {{"spec", {{"paused", true}}}});
  settle();
  ASSERT_TRUE(store->remove(kinds::kJobs, {"ns", "volsync-rsync-src-s"}, {}).ok());
  settle();
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  EXPECT_EQ(synchronizing(source()), "True SyncInProgress Synchronization in-progress; paused by spec.paused");
}

// The image was begun when the data was complete; a mover that starts now would write into what is being copied.
TEST_F(Edits, AJobThatIsDeletedWhileItsImageIsMadeIsNotStartedAgain) {
  makeDestination({}, kManual);
  settle();
  storageRespond = false;
  endMover(Role::Destination);
  settle();
  ASSERT_EQ(names(kinds::kVolumeSnapshots).size(), 1u);
  ASSERT_TRUE(store->remove(kinds::kJobs, {"ns", "volsync-rsync-dst-d"}, {}).ok());
  settle();
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
  storageRespond = true;
  settle();
  ASSERT_TRUE(destination().status.latestImage);
  EXPECT_EQ(destination().status.lastManualSync, "one");
}

TEST_F(Edits, AVolumeThatWentBeforeItsImageWasMadeIsFilledAgain) {
  makeDestination({}, kManual);
  settle();
  endMover(Role::Destination);
  ASSERT_TRUE(store->remove(kinds::kPersistentVolumeClaims, {"ns", "volsync-d-dst"}, {}).ok());
  settle();
  EXPECT_FALSE(destination().status.latestImage) << "an image of nothing";
  endMover(Role::Destination);
  settle();
  EXPECT_TRUE(destination().status.latestImage);
}

// Between the look and the deletion somebody puts his own in its place.
TEST_F(Edits, CleaningUpDeletesWhatItHasSeenAndNotItsNamesake) {
  startSource("Clone");
  faulty->faults.meddle = 1;
  faulty->meanwhile = [&] {
    if (!source().status.lastSyncTime) return;
    faulty->faults.meddle = 0;
    ASSERT_TRUE(store->remove(kinds::kPersistentVolumeClaims, {"ns", "volsync-s-src"}, {}).ok());
    makePvc("volsync-s-src");
  };
  endMover(Role::Source);
  settle();
  EXPECT_EQ(faulty->faults.meddle, 0) << "the clean-up must have been met";
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), ElementsAre("data", "volsync-s-src"));
}

// Its pod would wait for ever.
TEST_F(Edits, AMoverWhoseCopyIsGoneIsStartedAnewWithAnother) {
  startSource("Clone");
  const auto uid = text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid");
  ASSERT_TRUE(store->remove(kinds::kPersistentVolumeClaims, {"ns", "volsync-s-src"}, {}).ok());
  settle();
  EXPECT_THAT(names(kinds::kPersistentVolumeClaims), ElementsAre("data", "volsync-s-src"));
  EXPECT_NE(text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid"), uid);
}

TEST_F(Edits, ACopyWhoseSnapshotIsGoneIsMadeAnew) {
  startSource("Snapshot");
  storageRespond = false;
  Json claim = get(kinds::kPersistentVolumeClaims, "volsync-s-src");
  const auto uid = text(claim, "metadata", "uid");
  edit(kinds::kPersistentVolumeClaims, "volsync-s-src", {{"status", {{"phase", "Pending"}}}},
       kube::Subresource::Status);
  ASSERT_TRUE(store->remove(kinds::kVolumeSnapshots, {"ns", "volsync-s-src"}, {}).ok());
  settle();
  storageRespond = true;
  settle();
  EXPECT_THAT(names(kinds::kVolumeSnapshots), ElementsAre("volsync-s-src"));
  EXPECT_NE(text(get(kinds::kPersistentVolumeClaims, "volsync-s-src"), "metadata", "uid"), uid);
  endMover(Role::Source);
  settle();
  EXPECT_EQ(source().status.lastManualSync, "one");
}

TEST_F(Edits, AFailedJobThatTheUserWantsToKeepIsLetGo) {
  makeDestination({}, kManual);
  settle();
  keep(kinds::kJobs, "volsync-rsync-dst-d");
  endMover(Role::Destination, false);
  settle();
  EXPECT_THAT(names(kinds::kJobs), ElementsAre("volsync-rsync-dst-d"));
  EXPECT_FALSE(owned(kinds::kJobs, "volsync-rsync-dst-d"));
  EXPECT_THAT(synchronizing(destination()), HasSubstr("Job volsync-rsync-dst-d is in the way: nobody owns it"));
}

TEST_F(Edits, AServiceThatTheUserWantsToKeepIsLetGo) {
  makeDestination({}, kManual);
  settle();
  keep(kinds::kServices, "volsync-rsync-dst-d");
  edit(kinds::kReplicationDestinations, "d", {{"spec", {{"rsync", {{"address", "far.example"}}}}}});
  settle();
  EXPECT_THAT(names(kinds::kServices), ElementsAre("volsync-rsync-dst-d"));
  EXPECT_FALSE(owned(kinds::kServices, "volsync-rsync-dst-d"));
  EXPECT_FALSE(destination().status.rsync->address);
}

TEST_F(Edits, AnImageThatTheUserWantsToKeepOutlivesItsOwner) {
  makeDestination({}, kManual);
  settle();
  endMover(Role::Destination);
  settle();
  const auto image = destination().status.latestImage->name;
  keep(kinds::kVolumeSnapshots, image);
  settle();
  EXPECT_FALSE(owned(kinds::kVolumeSnapshots, image));
  EXPECT_EQ(destination().status.latestImage->name, image);
  ASSERT_TRUE(store->remove(kinds::kReplicationDestinations, {"ns", "d"}, {}).ok());
  settle();
  EXPECT_THAT(names(kinds::kVolumeSnapshots), ElementsAre(image));
}

// Until it is published it is ours to wait for.
TEST_F(Edits, AnImageThatTheUserWantsToKeepBeforeItIsReadyIsPublishedFirst) {
  makeDestination({}, kManual);
  settle();
  storageRespond = false;
  endMover(Role::Destination);
  settle();
  const auto image = names(kinds::kVolumeSnapshots).at(0);
  keep(kinds::kVolumeSnapshots, image);
  settle();
  EXPECT_TRUE(owned(kinds::kVolumeSnapshots, image));
  storageRespond = true;
  settle();
  ASSERT_TRUE(destination().status.latestImage);
  EXPECT_EQ(destination().status.latestImage->name, image);
  EXPECT_FALSE(owned(kinds::kVolumeSnapshots, image));
  ask("two");
  settle();
  endMover(Role::Destination);
  settle();
  EXPECT_NE(destination().status.latestImage->name, image);
  EXPECT_THAT(names(kinds::kVolumeSnapshots), Contains(image));
}

TEST_F(Edits, AnImageIsLetGoWhileItsDestinationIsPausedOrWrong) {
  for (const Json& change : {Json{{"paused", true}}, Json{{"rsync", {{"copyMethod", "Clone"}}}}}) {
    SCOPED_TRACE(change.dump());
    makeDestination({}, kManual);
    settle();
    endMover(Role::Destination);
    settle();
    const auto image = destination().status.latestImage->name;
    edit(kinds::kReplicationDestinations, "d", {{"spec", change}});
    settle();
    keep(kinds::kVolumeSnapshots, image);
    settle();
    EXPECT_FALSE(owned(kinds::kVolumeSnapshots, image));
    for (const auto* type : {&kinds::kReplicationDestinations, &kinds::kVolumeSnapshots}) {
      for (const auto& name : names(*type)) (void)store->remove(*type, {"ns", name}, {}).ok();
    }
    settle();
  }
}

// Whichever of the three somebody deletes: what is left and what is made anew must be one pair.
TEST_F(Edits, KeysThatAreMadeAnewMatchTheOnesThatWereKept) {
  const std::string main = "volsync-rsync-dst-main-d", there = "volsync-rsync-dst-src-d",
                    here = "volsync-rsync-dst-dest-d";
  makeDestination({}, kManual);
  settle();
  int times = 0;
  for (const auto& gone : {std::vector{main, here}, std::vector{main, there}, std::vector{here}}) {
    endMover(Role::Destination);
    settle();
    for (const auto& name : gone) ASSERT_TRUE(store->remove(kinds::kSecrets, {"ns", name}, {}).ok());
    ask(std::to_string(++times).c_str());
    settle();
    ASSERT_THAT(names(kinds::kSecrets), UnorderedElementsAre(main, here, there));
    for (const auto* name : {&here, &there}) {
      const auto keys = get(kinds::kSecrets, *name);
      for (const char* field : {"source.pub", "destination.pub"})
        EXPECT_EQ(text(keys, "data", field), text(get(kinds::kSecrets, main), "data", field)) << *name;
    }
    EXPECT_EQ(text(get(kinds::kSecrets, there), "data", "source"), text(get(kinds::kSecrets, main), "data", "source"));
  }
}

TEST_F(Edits, AServiceLosesTheAnnotationsThatTheSpecNoLongerNames) {
  makeDestination({{"serviceAnnotations", {{"a", "1"}}}}, kManual);
  settle();
  edit(kinds::kServices, "volsync-rsync-dst-d", {{"metadata", {{"annotations", {{"cloud/id", "7"}}}}}});
  edit(kinds::kReplicationDestinations, "d",
       {{"spec", {{"rsync", {{"serviceAnnotations", {{"a", nullptr}, {"b", "2"}}}}}}}});
  settle();
  EXPECT_EQ(*find(get(kinds::kServices, "volsync-rsync-dst-d"), "metadata", "annotations"),
            (Json{{"b", "2"}, {"cloud/id", "7"}, {"godwit/service-annotations", "b"}}));
}

TEST_F(Edits, AServiceThatLeadsElsewhereIsSetRight) {
  makeDestination({}, kManual);
  settle();
  edit(kinds::kServices, "volsync-rsync-dst-d",
       {{"spec",
         {{"ports", Json::array({{{"name", "ssh"}, {"port", 22}, {"protocol", "TCP"}, {"targetPort", 22}}})},
          {"selector", {{"app.kubernetes.io/name", "other"}, {"extra", "label"}}}}}});
  settle();
  const auto service = get(kinds::kServices, "volsync-rsync-dst-d");
  EXPECT_EQ(number(0, *find(service, "spec", "ports")->begin(), "targetPort"), 8022);
  EXPECT_EQ(*find(service, "spec", "selector"), (Json{{"app.kubernetes.io/name", "dst-d"},
                                                      {"app.kubernetes.io/component", "rsync-mover"},
                                                      {"app.kubernetes.io/part-of", "volsync"}}));
}

// What a provider left in its status says nothing any more.
TEST_F(Edits, AServiceThatBecomesInternalHasItsClusterAddress) {
  makeDestination({{"serviceType", "LoadBalancer"}}, kManual);
  settle();
  edit(kinds::kServices, "volsync-rsync-dst-d",
       {{"status", {{"loadBalancer", {{"ingress", Json::array({{{"ip", "192.0.2.7"}}})}}}}}},
       kube::Subresource::Status);
  settle();
  EXPECT_EQ(destination().status.rsync->address, "192.0.2.7");
  edit(kinds::kReplicationDestinations, "d", {{"spec", {{"rsync", {{"serviceType", "ClusterIP"}}}}}});
  settle();
  EXPECT_EQ(destination().status.rsync->address, "10.99.236.225");
}

TEST_F(Edits, PausedObjectsKeepTheReasonsThatScriptsKnow) {
  makePvc("data");
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Direct"}}, {{"paused", true}, {"trigger", {{"schedule", "* * * * *"}}}});
  makeDestination({}, {{"paused", true}});
  settle();
  EXPECT_EQ(synchronizing(source()),
            "False WaitingForSchedule Waiting for next scheduled synchronization; paused by spec.paused");
  EXPECT_EQ(synchronizing(destination()), "False WaitingForManual Waiting for manual trigger; paused by spec.paused");
}

// The watch of the objects themselves says nothing for longer than the controller believes its own writes.
TEST_F(Edits, AStaleStatusStartsNoMover) {
  startSource("Direct");
  faulty->silent = {"replicationsources"};
  endMover(Role::Source);
  settle();
  EXPECT_EQ(source().status.lastManualSync, "one");
  advance(2min);
  counted->requests.clear();
  edit(kinds::kPersistentVolumeClaims, "data", {{"metadata", {{"labels", {{"touched", "yes"}}}}}});
  settle();
  EXPECT_THAT(counted->requests, Not(Contains("create jobs")));
  EXPECT_EQ(synchronizing(source()), "False WaitingForManual Waiting for manual trigger");
}

TEST_F(Edits, AStaleStatusStopsNoMover) {
  makePvc("data");
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Direct"}}, {{"trigger", {{"schedule", "* * * * *"}}}});
  settle();
  endMover(Role::Source);
  settle();
  faulty->silent = {"replicationsources"};
  advance(1min);
  const auto uid = text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid");
  ASSERT_NE(uid, "");
  advance(2min);
  edit(kinds::kPersistentVolumeClaims, "data", {{"metadata", {{"labels", {{"touched", "yes"}}}}}});
  settle();
  EXPECT_EQ(text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid"), uid);
  EXPECT_EQ(synchronizing(source()), "True SyncInProgress Synchronization in-progress");
}

}  // namespace
}  // namespace godwit::replication
