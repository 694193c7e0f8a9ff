// What dashboards and scripts read besides the status: events by type and reason, what is kept for debugging, what
// VolSync left running.
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

class Promises : public MiniWorld {
 protected:
  std::vector<std::string> told() {  // "Normal TransferStarted"
    std::vector<std::string> out;
    const auto all = store->list(kinds::kEvents, {.ns = "ns"});
    for (const auto& item : all->items) out.push_back(text(item, "type") + " " + text(item, "reason"));
    return out;
  }
  // Of the controller, whatever the server's clock says.
  void expectPatienceWith(Duration skew) {
    serverClock.skew = skew;
    storageRespond = false;
    startSource("Snapshot");
    EXPECT_THAT(told(), Not(Contains("Warning VolumeSnapshotNotBound")));
    advance(30s);
    EXPECT_THAT(told(), Contains("Warning VolumeSnapshotNotBound"));
    storageRespond = true;
    settle();
    endMover(Role::Source);
    settle();
    EXPECT_EQ(source().status.lastManualSync, "one");
    EXPECT_EQ(source().status.lastSyncTime, clock.now());
  }
  void annotate(const kube::ResourceType& type, const char* name, const char* key, const Json& value) {
    edit(type, name, {{"metadata", {{"annotations", {{key, value}}}}}});
    settle();
  }
};

TEST_F(Promises, EventsOfACopyByTrigger) {
  makePvc("data", {{"volsync.backube/use-copy-trigger", ""}});
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Snapshot"}}, kManual);
  settle();
  EXPECT_THAT(told(), ElementsAre("Normal SrcPVCWaitingForCopyTrigger"));
  advance(10min);
  EXPECT_THAT(told(), Contains("Warning SrcPVCTimeoutWaitingForCopyTrigger"));
  annotate(kinds::kPersistentVolumeClaims, "data", "volsync.backube/copy-trigger", "t1");
  for (const auto* event : {"Normal SrcPVCCopyTriggerReceived", "Normal VolumeSnapshotCreated",
                            "Normal SrcPVCCopyUsingCopyTriggerCompleted", "Normal PersistentVolumeClaimCreated",
                            "Normal TransferStarted"}) {
    EXPECT_THAT(told(), Contains(event));
  }
}

TEST_F(Promises, EventsOfStorageThatDoesNotCome) {
  storageRespond = false;
  startSource("Snapshot");
  EXPECT_THAT(told(), Not(Contains("Warning VolumeSnapshotNotBound")));
  advance(30s);
  EXPECT_THAT(told(), Contains("Warning VolumeSnapshotNotBound"));
}

TEST_F(Promises, AServersClockAnHourBehind) {
  expectPatienceWith(-1h);
}
TEST_F(Promises, AServersClockAnHourAhead) {
  expectPatienceWith(1h);
}

TEST_F(Promises, EventsOfAVolumeThatIsNotBound) {
  storageRespond = false;
  startSource("Clone");
  EXPECT_THAT(told(), Contains("Normal TransferStarted")) << "a volume may wait for its first consumer";
  EXPECT_THAT(told(), Not(Contains("Warning PersistentVolumeClaimNotBound")));
  advance(2min);
  EXPECT_THAT(told(), Contains("Warning PersistentVolumeClaimNotBound"));
}

TEST_F(Promises, AMoverIsKeptForDebuggingUntilTheAnnotationGoes) {
  startSource("Direct");
  annotate(kinds::kReplicationSources, "s", "volsync.backube/enable-debug-mover", "");
  endMover(Role::Source);
  settle();
  EXPECT_THAT(names(kinds::kJobs), ElementsAre("volsync-rsync-src-s"));
  EXPECT_THAT(synchronizing(source()), StartsWith("False CleaningUp Cleaning up; the mover is kept for debugging"));
  annotate(kinds::kReplicationSources, "s", "volsync.backube/enable-debug-mover", nullptr);
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
}

TEST_F(Promises, AFailedMoverIsKeptForDebuggingUntilTheAnnotationGoes) {
  startSource("Direct");
  annotate(kinds::kReplicationSources, "s", "volsync.backube/enable-debug-mover", "");
  const auto uid = text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid");
  endMover(Role::Source, false);
  settle();
  EXPECT_EQ(text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid"), uid);
  EXPECT_THAT(synchronizing(source()), HasSubstr("kept for debugging"));
  annotate(kinds::kReplicationSources, "s", "volsync.backube/enable-debug-mover", nullptr);
  EXPECT_NE(text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid"), uid);
}

// No mark of ours, other flags, another image: it is left to finish, and what it did counts.
TEST_F(Promises, AMoverThatVolSyncStartedIsLeftToFinish) {
  makePvc("data");
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", "Direct"}}, {{"trigger", {{"manual", "one"}}}});
  const auto uid = text(get(kinds::kReplicationSources, "s"), "metadata", "uid");
  const Json owner = {{"apiVersion", api::kApiVersion},
                      {"kind", "ReplicationSource"},
                      {"name", "s"},
                      {"uid", uid},
                      {"controller", true}};
  const Json container = {{"name", "rsync"},
                          {"image", "quay.io/backube/volsync"},
                          {"command", {"/bin/bash", "-c", "/mover-rsync/source.sh"}}};
  const Json volume = {{"name", "data"}, {"persistentVolumeClaim", {{"claimName", "data"}}}};
  put(kinds::kJobs, {{"metadata",
                      {{"name", "volsync-rsync-src-s"},
                       {"labels", {{"app.kubernetes.io/created-by", "volsync"}, {"volsync.backube/cleanup", uid}}},
                       {"ownerReferences", Json::array({owner})}}},
                     {"spec",
                      {{"template",
                        {{"metadata", {{"labels", {{"app.kubernetes.io/name", "src-s"}}}}},
                         {"spec",
                          {{"restartPolicy", "Never"},
                           {"containers", Json::array({container})},
                           {"volumes", Json::array({volume})}}}}}}}});
  edit(kinds::kReplicationSources, "s", {{"status", {{"lastSyncStartTime", "2021-01-14T18:59:00Z"}}}},
       kube::Subresource::Status);
  const auto job = text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid");
  settle();
  EXPECT_EQ(text(get(kinds::kJobs, "volsync-rsync-src-s"), "metadata", "uid"), job);
  endMover(Role::Source);
  settle();
  EXPECT_EQ(source().status.lastManualSync, "one");
  EXPECT_EQ(source().status.lastSyncDuration, Duration(1min));
  EXPECT_THAT(names(kinds::kJobs), IsEmpty());
}

TEST_F(Promises, ANodePortIsThePortInStatus) {
  makeDestination({{"serviceType", "NodePort"}}, kManual);
  settle();
  edit(kinds::kServices, "volsync-rsync-dst-d",
       {{"spec",
         {{"ports",
           Json::array(
               {{{"name", "ssh"}, {"port", 22}, {"protocol", "TCP"}, {"targetPort", 8022}, {"nodePort", 30022}}})}}}});
  settle();
  EXPECT_EQ(destination().status.rsync->port, 30022);
  EXPECT_EQ(destination().status.rsync->address, "10.99.236.225");
  edit(kinds::kServices, "volsync-rsync-dst-d",
       {{"metadata", {{"annotations", {{"godwit/host", "192.0.2.7"}, {"godwit/port", "22"}}}}}});
  settle();
  EXPECT_EQ(destination().status.rsync->address, "192.0.2.7") << "where there is one node only, it is the address";
}

}  // namespace
}  // namespace godwit::replication
