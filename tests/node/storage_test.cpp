#include "node/world.h"

namespace godwit::sim {
namespace {

namespace r = kube::resources;
using testing::Contains;
using testing::HasSubstr;

class StorageTest : public World {
 protected:
  std::string phase(const std::string& name) { return text(get(r::kPersistentVolumeClaims, name), "status", "phase"); }
  std::string path(const std::string& name) {
    return "/volumes/" + text(get(r::kPersistentVolumeClaims, name), "spec", "volumeName");
  }
  std::string why(const std::string& name) {
    const auto pvc = get(r::kPersistentVolumeClaims, name);
    const auto* conditions = find(pvc, "status", "conditions");
    return conditions && !conditions->empty() ? text(conditions->front(), "message") : "";
  }
  void snapshot(const std::string& name, const std::string& pvc, Json spec = Json::object()) {
    spec["source"]["persistentVolumeClaimName"] = pvc;
    create(r::kVolumeSnapshots, {{"metadata", {{"name", name}}}, {"spec", spec}});
    settle();
  }
  Json from(const char* kind, const char* name) {
    Json source = {{"kind", kind}, {"name", name}};
    if (std::string_view(kind) == "VolumeSnapshot") source["apiGroup"] = "snapshot.storage.k8s.io";
    return {{"dataSource", source}};
  }
};

TEST_F(StorageTest, AClaimIsProvisionedOfTheDefaultClassAndReclaimed) {
  const auto pvc = claim("data");
  EXPECT_EQ(phase("data"), "Bound");
  EXPECT_EQ(text(pvc, "spec", "storageClassName"), "godwit");
  EXPECT_EQ(text(pvc, "status", "capacity", "storage"), "1Gi");
  EXPECT_TRUE(volumes.data.contains(path("data")));
  remove(r::kPersistentVolumeClaims, "data");
  EXPECT_TRUE(get(r::kPersistentVolumeClaims, "data").is_null());
  EXPECT_TRUE(list(r::kPersistentVolumes).empty());
  EXPECT_TRUE(volumes.data.empty());
}

TEST_F(StorageTest, SnapshotRestoreAndClone) {
  claim("data");
  volumes.data[path("data")] = "v1";
  snapshot("snap", "data");
  volumes.data[path("data")] = "v2";
  EXPECT_TRUE(truth(get(r::kVolumeSnapshots, "snap"), "status", "readyToUse"));
  EXPECT_EQ(text(get(r::kVolumeSnapshots, "snap"), "status", "restoreSize"), "1Gi");
  claim("restored", from("VolumeSnapshot", "snap"));
  claim("cloned", from("PersistentVolumeClaim", "data"));
  EXPECT_EQ(volumes.data[path("restored")], "v1");
  EXPECT_EQ(volumes.data[path("cloned")], "v2");
  remove(r::kVolumeSnapshots, "snap");
  EXPECT_TRUE(list(r::kVolumeSnapshotContents).empty());
  EXPECT_EQ(volumes.data.size(), 3u);
}

TEST_F(StorageTest, ARestoreWaitsForItsSnapshot) {
  claim("restored", from("VolumeSnapshot", "snap"));
  EXPECT_THAT(why("restored"), HasSubstr("volumesnapshot \"snap\" not found"));
  claim("data");
  snapshot("snap", "data");
  EXPECT_EQ(phase("restored"), "Bound");
}

TEST_F(StorageTest, ATornCopyIsMarked) {
  claim("data");
  volumes.torn.insert(path("data"));
  claim("cloned", from("PersistentVolumeClaim", "data"));
  snapshot("snap", "data");
  for (const auto& object : {get(r::kPersistentVolumeClaims, "cloned"), get(r::kVolumeSnapshots, "snap")}) {
    EXPECT_EQ(text(object, "metadata", "annotations", "godwit/point-in-time"), "false");
  }
}

TEST_F(StorageTest, AHostPathIsBoundByTheClaimThatNamesIt) {
  create(r::kPersistentVolumes, {{"metadata", {{"name", "mine"}}},
                                 {"spec",
                                  {{"capacity", {{"storage", "5Gi"}}},
                                   {"accessModes", {"ReadWriteOnce"}},
                                   {"hostPath", {{"path", "/srv/mine"}}}}}});
  claim("wrong", {{"volumeName", "mine"}});
  EXPECT_THAT(why("wrong"), HasSubstr("storageClassName: \"\""));
  claim("clone", from("PersistentVolumeClaim", "wrong"));
  EXPECT_THAT(why("clone"), HasSubstr("storageClassName: \"\""));  // what waits for it says so as well
  claim("right", {{"volumeName", "mine"}, {"storageClassName", ""}});
  EXPECT_EQ(phase("right"), "Bound");
  EXPECT_EQ(text(get(r::kPersistentVolumes, "mine"), "status", "phase"), "Bound");
  claim("late", {{"volumeName", "mine"}, {"storageClassName", ""}});
  EXPECT_THAT(why("late"), HasSubstr("already bound"));
  remove(r::kPersistentVolumeClaims, "right");
  EXPECT_EQ(text(get(r::kPersistentVolumes, "mine"), "status", "phase"), "Released");
}

TEST_F(StorageTest, WhatIsMissingIsNamedOnce) {
  claim("lost", {{"storageClassName", "nope"}});
  EXPECT_THAT(why("lost"), HasSubstr("\"nope\" not found"));
  EXPECT_THAT(eventReasons(), Contains("ProvisioningFailed").Times(1));
  snapshot("snap", "absent");
  EXPECT_THAT(text(get(r::kVolumeSnapshots, "snap"), "status", "error", "message"), HasSubstr("\"absent\" not found"));
  claim("data");
  snapshot("other", "data", {{"volumeSnapshotClassName", "none"}});
  EXPECT_THAT(text(get(r::kVolumeSnapshots, "other"), "status", "error", "message"),
              HasSubstr("volumesnapshotclass \"none\" not found"));
}

TEST_F(StorageTest, AFailingPoolIsTriedAgainAndSaysWhy) {
  volumes.gate = [](const std::string&, const std::string&) -> Result<void> { return Error{Errc::Io, "no space"}; };
  claim("data");
  EXPECT_EQ(why("data"), "no space");
  volumes.gate = nullptr;
  advance(std::chrono::minutes(1));
  EXPECT_EQ(phase("data"), "Bound");
  EXPECT_EQ(why("data"), "");
}

// No object changes when a disk is plugged in again: only the clock brings another attempt.
TEST_F(StorageTest, WhatIsMissingOnTheDiskIsLookedForAgain) {
  volumes.gate = [](const std::string&, const std::string&) -> Result<void> {
    return Error{Errc::NotFound, "/media/disk: No such file or directory"};
  };
  claim("data");
  EXPECT_EQ(why("data"), "/media/disk: No such file or directory");
  EXPECT_TRUE(nextDelay());
  volumes.gate = nullptr;
  advance(std::chrono::minutes(1));
  EXPECT_EQ(phase("data"), "Bound");
  EXPECT_FALSE(nextDelay());
}

const Json kUsesData = {
    {"volumes", {{{"name", "v"}, {"persistentVolumeClaim", {{"claimName", "data"}}}}}},
    {"containers",
     {{{"name", "c"}, {"command", {"true"}}, {"volumeMounts", {{{"name", "v"}, {"mountPath", "/data"}}}}}}}};

TEST_F(StorageTest, APodWithoutANodeHoldsNoClaim) {
  claim("data");
  Json elsewhere = kUsesData;
  elsewhere["nodeSelector"] = {{"kubernetes.io/hostname", "another"}};
  job("user", elsewhere);
  ASSERT_TRUE(runner.running.empty());
  remove(r::kPersistentVolumeClaims, "data");
  EXPECT_TRUE(get(r::kPersistentVolumeClaims, "data").is_null());
}

TEST_F(StorageTest, AClaimInUseOutlivesItsDeletion) {
  claim("data");
  job("user", kUsesData);
  ASSERT_EQ(runner.running.size(), 1u);
  EXPECT_EQ(runner.running.front()->spec.mounts.front().source, path("data"));
  remove(r::kPersistentVolumeClaims, "data");
  EXPECT_FALSE(get(r::kPersistentVolumeClaims, "data").is_null());
  runner.running.front()->outcome = ScriptedRunner::Outcome{{0, 0}, ""};
  settle();
  EXPECT_TRUE(get(r::kPersistentVolumeClaims, "data").is_null());
}

TEST_F(StorageTest, ABoundVolumeOutlivesItsDeletion) {
  claim("data");
  const auto volume = text(get(r::kPersistentVolumeClaims, "data"), "spec", "volumeName");
  remove(r::kPersistentVolumes, volume);
  settle();
  EXPECT_FALSE(text(get(r::kPersistentVolumes, volume), "metadata", "deletionTimestamp").empty());
  EXPECT_EQ(phase("data"), "Bound");
  remove(r::kPersistentVolumeClaims, "data");
  settle();
  EXPECT_TRUE(get(r::kPersistentVolumes, volume).is_null());
  EXPECT_TRUE(volumes.data.empty());
}

const Json kMine = {
    {"metadata", {{"name", "mine"}}},
    {"spec",
     {{"capacity", {{"storage", "1Gi"}}}, {"accessModes", {"ReadWriteOnce"}}, {"hostPath", {{"path", "/srv/mine"}}}}}};

TEST_F(StorageTest, ALostClaimIsBoundAgainWhenItsVolumeIsBack) {
  create(r::kPersistentVolumes, kMine);
  claim("data", {{"storageClassName", ""}, {"volumeName", "mine"}});
  ASSERT_TRUE(store->patch(r::kPersistentVolumes, {"", "mine"}, {{"metadata", {{"finalizers", nullptr}}}}).ok());
  remove(r::kPersistentVolumes, "mine");
  settle();
  EXPECT_EQ(phase("data"), "Lost");
  create(r::kPersistentVolumes, kMine);
  settle();
  EXPECT_EQ(phase("data"), "Bound");
}

TEST_F(StorageTest, AUsersVolumeThatIsReleasedMayBeDeleted) {
  create(r::kPersistentVolumes, kMine);
  claim("data", {{"storageClassName", ""}, {"volumeName", "mine"}});
  ASSERT_EQ(phase("data"), "Bound");
  remove(r::kPersistentVolumes, "mine");
  settle();
  EXPECT_FALSE(get(r::kPersistentVolumes, "mine").is_null());
  remove(r::kPersistentVolumeClaims, "data");
  settle();
  EXPECT_TRUE(get(r::kPersistentVolumes, "mine").is_null());
}

TEST_F(StorageTest, RetainKeepsTheSnapshotsData) {
  create(r::kVolumeSnapshotClasses,
         {{"metadata", {{"name", "keep"}}}, {"driver", "godwit.io/pool"}, {"deletionPolicy", "Retain"}});
  claim("data");
  snapshot("snap", "data", {{"volumeSnapshotClassName", "keep"}});
  remove(r::kVolumeSnapshots, "snap");
  EXPECT_EQ(list(r::kVolumeSnapshotContents).size(), 1u);
  EXPECT_EQ(volumes.data.size(), 2u);
}

TEST_F(StorageTest, AnotherLifeGoesOnWithTheSameVolume) {
  volumes.gate = [](const std::string&, const std::string&) -> Result<void> {
    return Error{Errc::Unavailable, "slow"};
  };
  claim("data");
  volumes.gate = nullptr;
  restart();
  EXPECT_EQ(phase("data"), "Bound");
  EXPECT_EQ(volumes.data.size(), 1u);
  EXPECT_EQ(list(r::kPersistentVolumes).size(), 1u);
}

}  // namespace
}  // namespace godwit::sim
