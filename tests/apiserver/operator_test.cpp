// What the operator does with a real API server, its Jobs, claims and snapshots played by the simulator.
#include <thread>

#include "api/names.h"
#include "apiserver/fixture.h"
#include "base/clock.h"

namespace godwit::apiserver {
namespace {

using ::testing::HasSubstr;

TEST_F(OperatorTest, ADestinationGetsWhatItNeedsAndItsImage) {
  const auto godwit = startOperator();
  ASSERT_NE(godwit, nullptr);
  simulator->hold(true);
  makeDestination("d", "Snapshot", {{"manual", "one"}});
  const Json job = until(api(), r::kJobs, key("volsync-rsync-dst-d"), [](const Json&) { return true; });
  const Json listening = until(api(), r::kReplicationDestinations, key("d"), [](const Json& object) {
    return !text(object, "status", "rsync", "address").empty() && !text(object, "status", "rsync", "sshKeys").empty();
  });
  EXPECT_THAT(synchronizing(listening), HasSubstr("SyncInProgress"));
  EXPECT_TRUE(api().get(r::kServices, key("volsync-rsync-dst-d")).ok());
  EXPECT_TRUE(api().get(r::kServiceAccounts, key("volsync-dst-d")).ok());
  EXPECT_TRUE(api().get(r::kRoles, key("volsync-dst-d")).is(Errc::NotFound)) << "no OpenShift";
  for (const char* secret : {"volsync-rsync-dst-main-d", "volsync-rsync-dst-src-d", "volsync-rsync-dst-dest-d"}) {
    EXPECT_TRUE(api().get(r::kSecrets, key(secret)).ok()) << secret;
  }
  ASSERT_TRUE(simulator->finish(job).ok());
  const Json done = awaitSync(r::kReplicationDestinations, "d", "one");
  EXPECT_EQ(text(done, "status", "latestImage", "kind"), "VolumeSnapshot");
  EXPECT_EQ(text(done, "status", "latestMoverStatus", "result"), "Successful");
  EXPECT_TRUE(api().get(r::kVolumeSnapshots, key(text(done, "status", "latestImage", "name"))).ok());
  EXPECT_TRUE(untilGone(api(), r::kJobs, key("volsync-rsync-dst-d")));
  EXPECT_THAT(kubectl({"get", "events", "-o", "name"}), HasSubstr("event/d."));
}

// Steady state: everything that is made once is there.
TEST_F(OperatorTest, AnIterationAsksLittleOfTheServer) {
  const auto godwit = startOperator();
  ASSERT_NE(godwit, nullptr);
  constexpr int kIterations = 5;
  for (const auto& [type, method, most] :
       {std::tuple(&r::kReplicationSources, "Direct", 7), std::tuple(&r::kReplicationSources, "Snapshot", 11),
        std::tuple(&r::kReplicationDestinations, "Direct", 7),
        std::tuple(&r::kReplicationDestinations, "Snapshot", 11)}) {
    const auto name = "o" + std::to_string(most) + (type == &r::kReplicationSources ? "s" : "d");
    type == &r::kReplicationSources ? makeSource(name, method, "0") : makeDestination(name, method, {{"manual", "0"}});
    awaitSync(*type, name, "0");
    trigger(*type, name, "settled");
    awaitSync(*type, name, "settled");
    ASSERT_TRUE(
        untilGone(api(), r::kJobs,
                  key(std::string("volsync-rsync-") + (type == &r::kReplicationSources ? "src-" : "dst-") + name)));
    const auto before = godwit->requests();
    ASSERT_TRUE(before.ok());
    for (int i = 1; i <= kIterations; ++i) {
      trigger(*type, name, std::to_string(i));
      awaitSync(*type, name, std::to_string(i));
    }
    untilGone(api(), r::kJobs,
              key(std::string("volsync-rsync-") + (type == &r::kReplicationSources ? "src-" : "dst-") + name));
    const auto after = godwit->requests();
    ASSERT_TRUE(after.ok());
    std::string what;
    for (const auto& [request, count] : since(*before, *after)) what += "\n" + std::to_string(count) + " " + request;
    EXPECT_LT(static_cast<double>(total(since(*before, *after))) / kIterations, most)
        << type->kind << " " << method << what;
  }
}

// As OpenShift's server does.
TEST_F(OperatorTest, WhereTheServerKnowsSecurityContextConstraintsMoversMayUseTheirs) {
  constexpr kube::ResourceType kConstraints{"security.openshift.io", "v1", "securitycontextconstraints",
                                            "SecurityContextConstraints", false};
  ASSERT_TRUE(sharedServer()
                  ->installKind(kConstraints, {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}})
                  .ok());
  const auto godwit = startOperator();
  ASSERT_NE(godwit, nullptr);
  makeDestination("d", "Direct");
  const Json role = until(api(), r::kRoles, key("volsync-dst-d"), [](const Json&) { return true; });
  EXPECT_THAT(role.dump(), HasSubstr(R"("resourceNames":["godwit-mover"])"));
  until(api(), r::kRoleBindings, key("volsync-dst-d"), [](const Json&) { return true; });
  until(api(), r::kJobs, key("volsync-rsync-dst-d"), [](const Json&) { return true; });
  EXPECT_TRUE(sharedServer()->removeKind(kConstraints).ok());
}

TEST_F(OperatorTest, WhereTheServerKnowsVolumePopulatorsItIsToldWhoFillsClaims) {
  constexpr kube::ResourceType kPopulators{"populator.storage.k8s.io", "v1beta1", "volumepopulators", "VolumePopulator",
                                           false};
  const Json name = {{"type", "string"}};
  const Json kind = {
      {"type", "object"}, {"required", {"group", "kind"}}, {"properties", {{"group", name}, {"kind", name}}}};
  const Json schema = {{"type", "object"}, {"required", {"sourceKind"}}, {"properties", {{"sourceKind", kind}}}};
  ASSERT_TRUE(sharedServer()->installKind(kPopulators, schema).ok());
  const auto godwit = startOperator();
  ASSERT_NE(godwit, nullptr);
  const Json told = until(api(), kPopulators, {"", "volsync-replicationdestination"}, [](const Json&) { return true; });
  EXPECT_EQ(text(told, "sourceKind", "group"), "volsync.backube");
  EXPECT_EQ(text(told, "sourceKind", "kind"), "ReplicationDestination");
  EXPECT_TRUE(sharedServer()->removeKind(kPopulators).ok());
}

TEST_F(OperatorTest, SigtermGivesUpTheLeaseAndEndsWellAndReadinessIsTold) {
  const auto godwit = startOperator();
  ASSERT_NE(godwit, nullptr);
  until(api(), r::kLeases, key("godwit-operator"),
        [](const Json& lease) { return !text(lease, "spec", "holderIdentity").empty(); });
  EXPECT_EQ(godwit->probe("/healthz")->status, 200);
  makeDestination("d", "Direct");  // served: the caches are full
  until(api(), r::kReplicationDestinations, key("d"),
        [](const Json& object) { return !synchronizing(object).empty(); });
  EXPECT_EQ(godwit->probe("/readyz")->status, 200);
  const auto code = godwit->stop();
  ASSERT_TRUE(code.ok()) << code.error().message;
  EXPECT_EQ(*code, 0);
  EXPECT_EQ(text(*api().get(r::kLeases, key("godwit-operator")), "spec", "holderIdentity"), "");
}

TEST_F(OperatorTest, MetricsAreForThoseWhomTheClusterLetsReadThem) {
  const auto godwit = startOperator({"--metrics-secure"});
  ASSERT_NE(godwit, nullptr);
  kubectl({"create", "serviceaccount", "scraper"});
  kubectl({"create", "serviceaccount", "stranger"});
  kubectl({"create", "clusterrole", "metrics-" + ns, "--verb=get", "--non-resource-url=/metrics"});
  kubectl({"create", "clusterrolebinding", "metrics-" + ns, "--clusterrole=metrics-" + ns,
           "--serviceaccount=" + ns + ":scraper"});
  EXPECT_EQ(godwit->scrape(true)->status, 401);
  EXPECT_EQ(godwit->scrape(true, "nonsense")->status, 401);
  EXPECT_EQ(godwit->scrape(true, kubectl({"create", "token", "stranger"}))->status, 403);
  Result<http::Answer> answer = Error{};
  const auto token = kubectl({"create", "token", "scraper"});
  answer = godwit->scrape(true, token);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->body, HasSubstr("godwit_leader"));
  EXPECT_FALSE(godwit->scrape(false, token).ok() && godwit->scrape(false, token)->status == 200);  // not without TLS
}

TEST(Crds, AreWaitedForAndSnapshotsAreNeededOnlyByWhoAsksForThem) {
  if (const auto missing = ApiServer::missing(); !missing.empty())
    GTEST_SKIP() << "SKIPPED: not run against a real API server: " << missing;
  auto server = ApiServer::start();
  ASSERT_TRUE(server.ok()) << server.error().message;
  auto& api = (*server)->api();
  const auto godwit = OperatorProcess::start((*server)->kubeconfig(), (*server)->directory() + "/log/operator.log");
  ASSERT_TRUE(godwit.ok()) << godwit.error().message;
  until(api, r::kLeases, {"default", "godwit-operator"}, [](const Json&) { return true; });
  for (int i = 0; i < 100 && (*godwit)->probe("/readyz")->status == 200; ++i) std::this_thread::sleep_for(50ms);
  EXPECT_THAT((*godwit)->probe("/readyz")->body, HasSubstr("replicationsources"));
  ASSERT_TRUE((*server)->installReplications().ok());
  Simulator simulator(api);
  const auto destination = [&](const char* name, const char* method) {
    const auto made =
        api.create(r::kReplicationDestinations,
                   {{"metadata", {{"namespace", "default"}, {"name", name}}},
                    {"spec",
                     {{"trigger", {{"manual", "one"}}},
                      {"rsync", {{"copyMethod", method}, {"capacity", "1Gi"}, {"accessModes", {"ReadWriteOnce"}}}}}}});
    EXPECT_TRUE(made.ok()) << made.error().message;
  };
  destination("direct", "Direct");
  until(api, r::kReplicationDestinations, {"default", "direct"},
        [](const Json& object) { return synced(object, "one"); });
  EXPECT_EQ((*godwit)->probe("/readyz")->status, 200);
  destination("snapshot", "Snapshot");
  const Json failed = until(api, r::kReplicationDestinations, {"default", "snapshot"},
                            [](const Json& object) { return synchronizing(object).starts_with("Error"); });
  EXPECT_THAT(synchronizing(failed), HasSubstr("VolumeSnapshot"));
  ASSERT_TRUE((*server)->installSnapshots().ok());
  until(api, r::kReplicationDestinations, {"default", "snapshot"},
        [](const Json& object) { return synced(object, "one"); });
}

}  // namespace
}  // namespace godwit::apiserver
