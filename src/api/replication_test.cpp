#include "api/replication.h"

#include <gmock/gmock.h>

using namespace godwit;
using namespace godwit::api;
using testing::HasSubstr;

static Json seedSource() {
  return Json::parse(R"({"apiVersion": "volsync.backube/v1alpha1", "kind": "ReplicationSource",
    "metadata": {"name": "mysource", "namespace": "source"},
    "spec": {"sourcePVC": "mysql-pv-claim", "trigger": {"schedule": "*/5 * * * *"},
      "rsync": {"sshKeys": "volsync-rsync-dest-src-database-destination", "address": "my.host.com", "copyMethod": "Clone"}},
    "status": {"conditions": [{"lastTransitionTime": "2021-01-14T19:42:38Z", "message": "Reconcile complete",
      "reason": "ReconcileComplete", "status": "True", "type": "Reconciled"}], "lastSyncDuration": "7.774288635s",
      "lastSyncTime": "2021-01-14T20:10:07Z", "nextSyncTime": "2021-01-14T20:15:00Z", "rsync": {}}})");
}

static Json seedDestination() {
  return Json::parse(R"({"apiVersion": "volsync.backube/v1alpha1", "kind": "ReplicationDestination",
    "metadata": {"name": "mydest", "namespace": "myns"},
    "spec": {"rsync": {"copyMethod": "Snapshot", "capacity": "10Gi", "accessModes": ["ReadWriteOnce"],
      "storageClassName": "my-sc", "volumeSnapshotClassName": "my-vsc"}},
    "status": {"lastSyncDuration": "31.333710313s", "lastSyncTime": "2021-01-14T19:43:07Z",
      "latestImage": {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "volsync-dest-test-20210114194305"},
      "rsync": {"address": "10.99.236.225", "sshKeys": "volsync-rsync-dest-src-test"}}})");
}

TEST(Replication, TheSeedsObjectsRoundTrip) {
  for (const Json& object : {seedSource(), seedDestination()}) {
    const auto read = replicationFromJson(object);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(toJson(*read), object);
  }
}

TEST(Replication, EveryFieldRoundTrips) {
  Json object = seedDestination();
  object["spec"]["paused"] = true;
  object["spec"]["trigger"] = {{"manual", "one"}};
  object["spec"]["rsync"] = Json::parse(R"({"copyMethod": "Direct", "destinationPVC": "p", "volumeMode": "Block",
    "serviceType": "NodePort", "serviceAnnotations": {}, "port": 2222, "address": "h", "path": "/x", "sshUser": "u",
    "sshKeys": "k", "cleanupTempPVC": true, "moverServiceAccount": "sa", "moverPodLabels": {"a": "b"},
    "moverResources": {"limits": {"cpu": "1"}}})");
  object["status"]["lastSyncStartTime"] = "2021-01-14T19:43:07Z";
  object["status"]["lastManualSync"] = "one";
  object["status"]["latestMoverStatus"] = {{"result", "Failed"}, {"logs", "why"}};
  const auto read = replicationFromJson(object);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(toJson(*read), object);
  EXPECT_TRUE(read->spec.rsync->serviceAnnotations);
  EXPECT_TRUE(read->spec.rsync->direct());
}

TEST(Replication, NullAndAbsentAreTheSame) {
  const auto read = replicationFromJson(Json::parse(R"({"apiVersion": "volsync.backube/v1alpha1",
    "kind": "ReplicationSource", "metadata": {"name": "n"}, "spec": {"sourcePVC": null, "trigger": {"manual": ""},
    "rsync": {"port": null, "capacity": 1024, "accessModes": null, "moverResources": null}, "restic": null}, "status": null})"));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_FALSE(read->spec.rsync->port);
  EXPECT_EQ(read->spec.rsync->capacity, "1024");
  EXPECT_TRUE(read->spec.rsync->moverResources.is_null());
  EXPECT_FALSE(read->spec.trigger->manual);
  EXPECT_TRUE(read->spec.foreignMovers.empty());
}

TEST(Replication, OtherMoversAreSeen) {
  Json object = seedSource();
  object["spec"]["restic"] = {{"repository", "r"}};
  object["spec"]["external"] = {{"provider", "p"}};
  const auto read = replicationFromJson(object);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->spec.foreignMovers, std::vector<std::string>{"restic"});
  EXPECT_TRUE(read->spec.external);
}

TEST(Replication, WrongTypesNameTheirField) {
  const std::pair<const char*, const char*> cases[] = {
      {"/spec", "spec: "},
      {"/spec/sourcePVC", "spec.sourcePVC: "},
      {"/spec/paused", "spec.paused: "},
      {"/spec/trigger", "spec.trigger: "},
      {"/spec/trigger/schedule", "spec.trigger.schedule: "},
      {"/spec/rsync", "spec.rsync: "},
      {"/spec/rsync/accessModes", "spec.rsync.accessModes: "},
      {"/spec/rsync/moverPodLabels", "spec.rsync.moverPodLabels: "},
      {"/spec/rsync/address", "spec.rsync.address: "},
      {"/status", "status: "},
      {"/status/conditions", "status.conditions: "},
      {"/status/lastSyncTime", "status.lastSyncTime: "},
      {"/status/lastSyncDuration", "status.lastSyncDuration: "},
  };
  for (const auto& [pointer, message] : cases) {
    Json object = seedSource();
    object[Json::json_pointer(pointer)] = 7;
    const auto read = replicationFromJson(object);
    ASSERT_FALSE(read.ok()) << pointer;
    EXPECT_EQ(read.error().code, Errc::Invalid);
    EXPECT_THAT(read.error().message, HasSubstr(message));
  }
  Json object = seedSource();
  object["spec"]["rsync"]["accessModes"] = Json::array({"ReadWriteOnce", 3});
  EXPECT_THAT(replicationFromJson(object).error().message, HasSubstr("spec.rsync.accessModes[1]: "));
  object = seedSource();
  object["spec"]["rsync"]["port"] = "22";
  EXPECT_THAT(replicationFromJson(object).error().message, HasSubstr("spec.rsync.port: expected a whole number"));
  object = seedSource();
  object["spec"]["rsync"]["moverPodLabels"] = {{"a", 1}};
  EXPECT_THAT(replicationFromJson(object).error().message, HasSubstr("spec.rsync.moverPodLabels.a: "));
  object = seedSource();
  object["status"]["conditions"][0] = 1;
  EXPECT_THAT(replicationFromJson(object).error().message, HasSubstr("status.conditions[0]: "));
  object = seedSource();
  object["status"]["lastSyncDuration"] = "long";
  EXPECT_THAT(replicationFromJson(object).error().message, HasSubstr("status.lastSyncDuration: not a duration"));
}

TEST(Replication, OtherKindsAreRefused) {
  EXPECT_THAT(replicationFromJson(Json(3)).error().message, HasSubstr("kind"));
  EXPECT_THAT(replicationFromJson(Json{{"kind", "Pod"}}).error().message, HasSubstr("kind"));
  Json object = seedSource();
  object["apiVersion"] = "volsync.backube/v2";
  EXPECT_THAT(replicationFromJson(object).error().message, HasSubstr("apiVersion: expected volsync.backube/v1alpha1"));
}

TEST(Status, ConditionsKeepTheirTransitionTime) {
  const TimePoint first{}, later = first + std::chrono::hours(1);
  ReplicationStatus status;
  status.setCondition({"Synchronizing", "True", "SyncInProgress", "m", {}, 1}, first);
  status.setCondition({"Synchronizing", "True", "Other", "m2", {}, 2}, later);
  ASSERT_EQ(status.conditions.size(), 1u);
  EXPECT_EQ(status.condition("Synchronizing")->lastTransitionTime, first);
  EXPECT_EQ(status.condition("Synchronizing")->reason, "Other");
  status.setCondition({"Synchronizing", "False", "CleaningUp", "", {}, 2}, later);
  EXPECT_EQ(status.condition("Synchronizing")->lastTransitionTime, later);
  status.setCondition({"Reconciled", "True", "ReconcileComplete", "", {}, 2}, later);
  EXPECT_EQ(status.conditions.size(), 2u);
  EXPECT_EQ(status.condition("Nothing"), nullptr);
}

TEST(Status, PatchIsTheSmallestThatTurnsOneIntoTheOther) {
  const auto from = replicationFromJson(seedDestination())->status;
  EXPECT_EQ(statusPatch(from, from), Json::object());
  auto to = from;
  to.lastSyncTime.reset();
  to.rsync->address = "10.0.0.1";
  to.latestImage->name = "next";
  EXPECT_EQ(statusPatch(from, to), Json::parse(R"({"lastSyncTime": null, "rsync": {"address": "10.0.0.1"},
    "latestImage": {"name": "next"}})"));
  for (const auto& [a, b] : {std::pair(from, to), std::pair(to, from), std::pair(ReplicationStatus(), to)}) {
    Json applied = toJson(a);
    mergePatch(applied, statusPatch(a, b));
    EXPECT_EQ(applied, toJson(b));
  }
}

TEST(Status, FractionsOfASecondAreNoChange) {
  ReplicationStatus a, b;
  a.lastSyncTime = TimePoint{};
  b.lastSyncTime = TimePoint{} + std::chrono::milliseconds(3);
  EXPECT_EQ(statusPatch(a, b), Json::object());
}
