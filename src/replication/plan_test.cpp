// Golden YAML: testdata/NAME.yaml is what a plan must print. GODWIT_UPDATE_GOLDEN=1 writes them anew, for review.
#include "replication/plan.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "api/yaml.h"
#include "base/fd.h"

namespace godwit::replication {
namespace {

using namespace std::chrono_literals;
using api::Role;
const TimePoint kThen = std::chrono::sys_days{std::chrono::year{2021} / 1 / 14} + 19h + 43min + 7s;

api::Replication object(Role role, const char* yaml) {
  const auto spec = api::parseYaml(yaml);
  EXPECT_TRUE(spec.ok()) << (spec.ok() ? "" : spec.error().message);
  const Json json = {{"apiVersion", api::kApiVersion},
                     {"kind", api::kindOf(role)},
                     {"metadata", {{"name", "mydata"}, {"namespace", "myns"}, {"uid", "0-1-2-3"}}},
                     {"spec", spec->front()}};
  auto parsed = api::replicationFromJson(json);
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().message);
  parsed->status.lastSyncStartTime = kThen;
  return *parsed;
}

template <class T>
std::shared_ptr<const T> shared(T value) {
  return std::make_shared<const T>(std::move(value));
}

api::Pvc pvc(const std::string& name, std::vector<std::string> modes = {"ReadWriteOnce"}) {
  api::Pvc out;
  out.meta.name = name;
  out.meta.ns = "myns";
  out.storageClassName = "standard";
  out.accessModes = std::move(modes);
  out.requested = "1Gi";
  out.capacity = "2Gi";
  out.phase = "Bound";
  return out;
}

World world(std::vector<std::string> modes = {"ReadWriteOnce"}) {
  World out;
  out.now = kThen;
  out.given = shared(pvc("mysql-pv-claim", std::move(modes)));
  return out;
}

void expectGolden(const std::string& name, const Json& json) {
  const std::string path = std::string(GODWIT_SOURCE_DIR) + "/src/replication/testdata/" + name + ".yaml";
  const std::string yaml = api::toYaml(json);
  if (std::getenv("GODWIT_UPDATE_GOLDEN")) {
    ASSERT_TRUE(writeFileAtomic(path, yaml).ok());
  }
  const auto golden = readFile(path);
  ASSERT_TRUE(golden.ok()) << golden.error().message;
  EXPECT_EQ(yaml, *golden) << name;
}

constexpr const char* kSeedSource = R"(
sourcePVC: mysql-pv-claim
trigger: {schedule: "*/5 * * * *"}
rsync: {sshKeys: keys, address: my.host.com, copyMethod: Clone}
)";
constexpr const char* kSeedDestination = R"(
rsync:
  copyMethod: Snapshot
  capacity: 10Gi
  accessModes: ["ReadWriteOnce"]
  storageClassName: my-sc
  volumeSnapshotClassName: my-vsc
)";

TEST(Plan, SourceClone) {
  expectGolden("source_clone_pvc", planClone(object(Role::Source, kSeedSource), world()));
}

TEST(Plan, ACopyOfAVolumeWithoutAClassIsMadeByTheDefaultClass) {
  auto source = pvc("mysql-pv-claim");
  source.storageClassName.clear();
  auto around = world();
  around.given = shared(source);
  EXPECT_FALSE(planClone(object(Role::Source, kSeedSource), around).at("spec").contains("storageClassName"));
}

TEST(Plan, SourceCloneMoverJob) {
  auto w = world();
  w.made = shared(pvc("volsync-mydata-src"));
  expectGolden("source_clone_job", planJob(object(Role::Source, kSeedSource), w, {}, {}));
}

TEST(Plan, SourceSnapshotAndItsRestoreWithEveryOverride) {
  const auto source = object(Role::Source, R"(
sourcePVC: mysql-pv-claim
trigger: {manual: first}
rsync:
  sshKeys: keys
  address: my.host.com
  copyMethod: Snapshot
  capacity: 3Gi
  storageClassName: fast
  accessModes: [ReadWriteMany]
  volumeSnapshotClassName: my-vsc
)");
  auto w = world();
  expectGolden("source_snapshot", planCopySnapshot(source, w));
  api::VolumeSnapshot copy;
  copy.meta.name = "volsync-mydata-src";
  copy.meta.annotations[kForManualAnnotation] = "first";
  copy.restoreSize = "5Gi";
  w.copy = shared(copy);
  expectGolden("source_restore_pvc", planRestore(source, w));
}

TEST(Plan, ARestoreIsAtLeastAsLargeAsItsSnapshot) {
  auto w = world();
  api::VolumeSnapshot copy;
  copy.restoreSize = "5Gi";
  w.copy = shared(copy);
  const auto source = object(Role::Source, kSeedSource);
  EXPECT_EQ(text(planRestore(source, w), "spec", "resources", "requests", "storage"), "5Gi");
  copy.restoreSize = "512Mi";
  w.copy = shared(copy);
  EXPECT_EQ(text(planRestore(source, w), "spec", "resources", "requests", "storage"), "2Gi");
}

TEST(Plan, DirectReadOnlyMoverJobBesideItsUser) {
  auto source = object(Role::Source, R"(
sourcePVC: mysql-pv-claim
trigger: {manual: now}
paused: true
rsync:
  sshKeys: keys
  address: "fd00::1"
  port: 2222
  sshUser: backup
  path: /sub dir
  copyMethod: Direct
  moverServiceAccount: mover
  moverPodLabels: {team: storage, app.kubernetes.io/component: mine}
  moverResources: {limits: {memory: 64Mi}}
)");
  source.meta.annotations = {{"godwit/allow-empty", "true"}, {"volsync.backube/enable-debug-mover", ""}};
  ControllerConfig config;
  config.moverImage = "registry.example/godwit:1";
  config.imagePullSecrets = {"pull"};
  config.moverImagePullPolicy = "Never";
  const Json toleration = {{"key", "special"}, {"operator", "Exists"}};
  expectGolden("source_direct_job",
               planJob(source, world({"ReadOnlyMany"}), config, {"node-7", Json::array({toleration})}));
}

TEST(Plan, DestinationObjects) {
  const auto destination = object(Role::Destination, kSeedDestination);
  expectGolden("destination_pvc", planDestinationVolume(destination));
  expectGolden("destination_service", planService(destination));
  expectGolden("destination_account", planAccount(destination));
  expectGolden("destination_secret", planSecret(destination, "volsync-rsync-dst-src-mydata", {{"source", "s"}}));
  expectGolden("destination_image", planImage(destination, "volsync-mydata-dst", "volsync-mydata-dst-20210114194307"));
  World w;
  w.now = kThen;
  w.made = shared(pvc("volsync-mydata-dst"));
  expectGolden("destination_job", planJob(destination, w, {}, {}));
}

World unprivilegedWorld() {
  auto out = world();
  out.namespaceAnnotations["volsync.backube/privileged-movers"] = "false";
  return out;
}

TEST(Plan, UnprivilegedMoversOfFileSystems) {
  auto w = unprivilegedWorld();
  expectGolden("source_unprivileged_direct_job", planJob(object(Role::Source, R"(
sourcePVC: mysql-pv-claim
rsync: {sshKeys: keys, address: my.host.com, copyMethod: Direct}
)"),
                                                         w, {}, {}));
  w.made = shared(pvc("volsync-mydata-dst"));
  expectGolden("destination_unprivileged_job", planJob(object(Role::Destination, kSeedDestination), w, {}, {}));
}

TEST(Plan, AnUnprivilegedSourceWritesOnlyWhereTheVolumeIsItsOwn) {
  auto w = unprivilegedWorld();
  const auto job = planJob(object(Role::Source, kSeedSource), w, {}, {});
  EXPECT_FALSE(job["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"].contains("readOnly"))
      << "a copy's group may be changed so that the mover can read it";
  auto device = pvc("mysql-pv-claim");
  device.volumeMode = "Block";
  w.given = shared(device);
  const auto direct = planJob(object(Role::Source, R"(
sourcePVC: mysql-pv-claim
rsync: {sshKeys: keys, address: my.host.com, copyMethod: Direct}
)"),
                              w, {}, {});
  EXPECT_FALSE(direct["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"].contains("readOnly"));
}

TEST(Plan, OnOpenShiftTheNamespaceGivesTheIds) {
  ControllerConfig config;
  config.securityConstraints = "godwit-mover";
  const auto security = [&](const World& w) {
    return planJob(object(Role::Destination, kSeedDestination), w, config,
                   {})["spec"]["template"]["spec"]["securityContext"];
  };
  EXPECT_EQ(security(unprivilegedWorld()), (Json{{"runAsNonRoot", true},
                                                 {"fsGroupChangePolicy", "OnRootMismatch"},
                                                 {"seccompProfile", {{"type", "RuntimeDefault"}}}}));
  EXPECT_EQ(security(world()), (Json{{"runAsUser", 0}}));
}

TEST(Plan, OnOpenShiftAMoversAccountMayUseConstraints) {
  const auto destination = object(Role::Destination, kSeedDestination);
  const auto role = planRole(destination, "godwit-mover");
  expectGolden("destination_role", role);
  expectGolden("destination_role_binding", planRoleBinding(destination));
  EXPECT_TRUE(rolePatch({{}, role["rules"]}, "godwit-mover").empty());
  EXPECT_EQ(rolePatch({{}, role["rules"]}, "mine"), (Json{{"rules", planRole(destination, "mine")["rules"]}}));
}

TEST(Plan, UnprivilegedBlockDestination) {
  World w = unprivilegedWorld();
  w.given = nullptr;
  expectGolden("destination_block_job", planJob(object(Role::Destination, R"(
rsync: {copyMethod: Direct, capacity: 1Gi, accessModes: [ReadWriteOnce], volumeMode: Block, sshUser: root, path: /in}
)"),
                                                w, {}, {}));
}

TEST(Plan, AServiceIsPatchedOnlyWhereItDiffers) {
  auto destination = object(Role::Destination, kSeedDestination);
  auto service = api::serviceFromJson(planService(destination));
  EXPECT_TRUE(servicePatch(destination, service).empty());
  destination.spec.rsync->port = 2222;
  destination.spec.rsync->serviceType = "LoadBalancer";
  service.meta.annotations.clear();
  destination.spec.rsync->serviceAnnotations = api::StringMap{{"a", "b"}};
  const auto patch = servicePatch(destination, service);
  EXPECT_EQ(text(patch, "spec", "type"), "LoadBalancer");
  EXPECT_EQ(find(patch, "spec", "ports")->front().at("port"), 2222);
  EXPECT_EQ(find(patch, "metadata", "annotations")->dump(), R"({"a":"b","godwit/service-annotations":"a"})");
}

// The Service as it is after each of the specs.
class ServiceAnnotations : public testing::Test {
 protected:
  void want(std::optional<api::StringMap> annotations) {
    destination_.spec.rsync->serviceAnnotations = std::move(annotations);
    Json stored = {{"metadata", {{"annotations", service_.meta.annotations}}}};
    mergePatch(stored, servicePatch(destination_, service_));
    service_.meta.annotations = stored["metadata"]["annotations"].get<api::StringMap>();
    EXPECT_FALSE(servicePatch(destination_, service_).contains("metadata")) << "written once";
  }
  api::StringMap others() const {
    auto out = service_.meta.annotations;
    out.erase("godwit/service-annotations");
    return out;
  }
  api::Replication destination_ = object(Role::Destination, kSeedDestination);
  api::Service service_ = api::serviceFromJson(planService(destination_));
  const std::string kNlb = "service.beta.kubernetes.io/aws-load-balancer-type";
};

TEST_F(ServiceAnnotations, WhatTheSpecNoLongerNamesGoes) {
  want(api::StringMap{{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(others(), (api::StringMap{{"a", "1"}, {"b", "2"}})) << "the default goes as well";
  want(api::StringMap{{"b", "3"}});
  EXPECT_EQ(others(), (api::StringMap{{"b", "3"}}));
  want(api::StringMap{});
  EXPECT_EQ(service_.meta.annotations, api::StringMap{});
  want(std::nullopt);
  EXPECT_EQ(others(), (api::StringMap{{kNlb, "nlb"}}));
}

TEST_F(ServiceAnnotations, WhatOthersPutThereStays) {
  service_.meta.annotations["cloud/id"] = "7";
  service_.meta.annotations["same"] = "s";
  want(api::StringMap{{"a", "1"}, {"same", "s"}});
  want(api::StringMap{});
  EXPECT_EQ(others(), (api::StringMap{{"cloud/id", "7"}, {"same", "s"}}));
}

TEST_F(ServiceAnnotations, AServiceOfVolSyncIsLeftAsItIsWhileItIsRight) {
  service_.meta.annotations = {{kNlb, "nlb"}};
  EXPECT_TRUE(servicePatch(destination_, service_).empty());
}

TEST(Plan, ImageNamesOnlyGrow) {
  EXPECT_EQ(nextImageName("p", "", kThen), "p-20210114194307");
  EXPECT_EQ(nextImageName("p", "p-20210114194306", kThen), "p-20210114194307");
  EXPECT_EQ(nextImageName("p", "p-20210114194307", kThen), "p-20210114194308");
  EXPECT_EQ(nextImageName("p", "p-20210114195959", kThen), "p-20210114200000") << "the clock went back";
  EXPECT_EQ(nextImageName("p", "q-20210114195959", kThen), "p-20210114194307") << "another volume's";
  EXPECT_EQ(nextImageName("p", "p-20211399999999", kThen), "p-20210114194307") << "not an instant";
}

}  // namespace
}  // namespace godwit::replication
