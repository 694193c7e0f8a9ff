// What goes wrong on the server's side: it dies, it forbids, it has quotas.
#include <thread>

#include "apiserver/fixture.h"

namespace godwit::apiserver {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(OperatorTest, NoTriggerIsLostWhenTheApiServerDies) {
  const auto godwit = startOperator();
  ASSERT_NE(godwit, nullptr);
  constexpr int kSources = 10, kKills = 3;
  for (int i = 0; i < kSources; ++i) makeSource("s" + std::to_string(i), "Direct", "0");
  for (int i = 0; i < kSources; ++i) awaitSync(r::kReplicationSources, "s" + std::to_string(i), "0");
  for (int round = 1; round <= kKills; ++round) {
    for (int i = 0; i < kSources; ++i) trigger(r::kReplicationSources, "s" + std::to_string(i), std::to_string(round));
    ASSERT_TRUE(sharedServer()->kill().ok());
    const auto started = sharedServer()->restart();
    ASSERT_TRUE(started.ok()) << started.error().message;
    for (int i = 0; i < kSources; ++i) {
      const Json done = awaitSync(r::kReplicationSources, "s" + std::to_string(i), std::to_string(round));
      EXPECT_FALSE(synchronizing(done).starts_with("Error")) << synchronizing(done);
    }
  }
  EXPECT_EQ(godwit->log().find("is forbidden"), std::string::npos) << "a refusal after a restart is passing";
}

TEST_F(OperatorTest, AMissingPermissionIsNamedAndItsReturnIsNoticed) {
  kubectl({"create", "serviceaccount", "godwit"});
  kubectl({"create", "role", "most", "--verb=*",
           "--resource=leases.coordination.k8s.io,replicationsources.volsync.backube,replicationsources.volsync."
           "backube/finalizers,replicationsources.volsync."
           "backube/status,"
           "replicationdestinations.volsync.backube,replicationdestinations.volsync.backube/"
           "status,persistentvolumeclaims,services,secrets,serviceaccounts,pods,pods/log,events,"
           "volumesnapshots.snapshot.storage.k8s.io"});
  kubectl({"create", "role", "jobs-read", "--verb=get,list,watch", "--resource=jobs.batch"});
  for (const char* role : {"most", "jobs-read"})
    kubectl({"create", "rolebinding", role, std::string("--role=") + role, "--serviceaccount=" + ns + ":godwit"});
  kubectl({"create", "clusterrole", "namespaces-" + ns, "--verb=get,list,watch", "--resource=namespaces"});
  kubectl({"create", "clusterrolebinding", "namespaces-" + ns, "--clusterrole=namespaces-" + ns,
           "--serviceaccount=" + ns + ":godwit"});
  const auto godwit = startOperator({}, kubeconfigOf("godwit"));
  ASSERT_NE(godwit, nullptr);
  makeSource("s", "Direct", "one");
  const Json failed = until(api(), r::kReplicationSources, key("s"),
                            [](const Json& object) { return synchronizing(object).starts_with("Error"); });
  EXPECT_THAT(synchronizing(failed), AllOf(HasSubstr("cannot create"), HasSubstr("\"jobs\"")));
  EXPECT_THAT(awaitWarning("s"), AllOf(HasSubstr("cannot create"), HasSubstr("\"jobs\"")));
  kubectl({"create", "role", "jobs-write", "--verb=create,patch,delete", "--resource=jobs.batch"});
  kubectl({"create", "rolebinding", "jobs-write", "--role=jobs-write", "--serviceaccount=" + ns + ":godwit"});
  awaitSync(r::kReplicationSources, "s", "one");
}

TEST_F(OperatorTest, AKindThatMayNotBeReadIsNamedInTheConditionAndByReadiness) {
  kubectl({"create", "serviceaccount", "godwit"});
  kubectl({"create", "role", "some", "--verb=*",
           "--resource=leases.coordination.k8s.io,replicationsources.volsync.backube,replicationsources.volsync."
           "backube/finalizers,replicationsources.volsync."
           "backube/status,"
           "replicationdestinations.volsync.backube,replicationdestinations.volsync.backube/status,events"});
  kubectl({"create", "rolebinding", "some", "--role=some", "--serviceaccount=" + ns + ":godwit"});
  const auto godwit = startOperator({}, kubeconfigOf("godwit"));
  ASSERT_NE(godwit, nullptr);
  makeSource("s", "Direct", "one");
  const Json failed = until(api(), r::kReplicationSources, key("s"),
                            [](const Json& object) { return synchronizing(object).starts_with("Error"); });
  EXPECT_THAT(synchronizing(failed), AllOf(HasSubstr("cannot list"), HasSubstr("\"persistentvolumeclaims\"")));
  EXPECT_THAT(awaitWarning("s"), AllOf(HasSubstr("cannot list"), HasSubstr("\"persistentvolumeclaims\"")));
  EXPECT_THAT(godwit->probe("/readyz")->body, HasSubstr("persistentvolumeclaims"));
  kubectl({"create", "clusterrole", "rest-" + ns, "--verb=*",
           "--resource=jobs.batch,persistentvolumeclaims,services,secrets,serviceaccounts,pods,pods/log,namespaces,"
           "volumesnapshots.snapshot.storage.k8s.io"});
  kubectl(
      {"create", "clusterrolebinding", "rest-" + ns, "--clusterrole=rest-" + ns, "--serviceaccount=" + ns + ":godwit"});
  awaitSync(r::kReplicationSources, "s", "one");
}

// The controller that counts what a quota allows is not there: the test counts.
TEST_F(OperatorTest, AQuotaThatIsUsedUpIsNamedAndItsEndIsNoticed) {
  kubectl({"create", "quota", "few", "--hard=count/jobs.batch=0"});
  kubectl({"patch", "quota", "few", "--subresource=status", "--type=merge", "-p",
           R"({"status":{"hard":{"count/jobs.batch":"0"},"used":{"count/jobs.batch":"0"}}})"});
  const auto godwit = startOperator();
  ASSERT_NE(godwit, nullptr);
  makeSource("s", "Direct", "one");
  until(api(), r::kReplicationSources, key("s"),
        [](const Json& object) { return synchronizing(object).find("exceeded quota") != std::string::npos; });
  EXPECT_THAT(kubectl({"get", "events", "-o", "jsonpath={.items[*].message}"}), HasSubstr("exceeded quota"));
  kubectl({"delete", "quota", "few"});
  awaitSync(r::kReplicationSources, "s", "one");
}

TEST_F(OperatorTest, AnAdmissionPolicyThatRefusesIsQuotedAndItsEndIsNoticed) {
  constexpr kube::ResourceType kPolicies{"admissionregistration.k8s.io", "v1", "validatingadmissionpolicies",
                                         "ValidatingAdmissionPolicy", false};
  constexpr kube::ResourceType kBindings{"admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings",
                                         "ValidatingAdmissionPolicyBinding", false};
  const Json rule = {
      {"apiGroups", {"batch"}}, {"apiVersions", {"v1"}}, {"operations", {"CREATE"}}, {"resources", {"jobs"}}};
  const Json here = {{"matchLabels", {{"kubernetes.io/metadata.name", ns}}}};
  const Json match = {{"namespaceSelector", here}, {"resourceRules", Json::array({rule})}};
  const Json never = Json::array({{{"expression", "false"}, {"message", "not on a Friday"}}});
  const Json container = {{"name", "c"}, {"image", "none"}};
  const Json pod = {{"spec", {{"restartPolicy", "Never"}, {"containers", Json::array({container})}}}};
  const std::string name = "no-jobs-" + ns;
  const Json meta = {{"name", name}};
  ASSERT_TRUE(
      api().create(kPolicies, {{"metadata", meta}, {"spec", {{"matchConstraints", match}, {"validations", never}}}}));
  ASSERT_TRUE(
      api().create(kBindings, {{"metadata", meta}, {"spec", {{"policyName", name}, {"validationActions", {"Deny"}}}}}));
  // A policy takes a moment to count.
  const auto refuses = [&](const std::string& job) {
    const Json probe = {{"metadata", {{"name", job}, {"namespace", ns}}},
                        {"spec", {{"suspend", true}, {"template", pod}}}};
    const auto made = api().create(r::kJobs, probe);
    if (made.ok()) {
      EXPECT_TRUE(api().remove(r::kJobs, key(job), {}).ok());
    }
    return !made.ok() && made.error().message.find("not on a Friday") != std::string::npos;
  };
  for (int i = 0; i < 200 && !refuses("probe-" + std::to_string(i)); ++i) std::this_thread::sleep_for(50ms);
  const auto godwit = startOperator();
  ASSERT_NE(godwit, nullptr);
  makeSource("s", "Direct", "one");
  until(api(), r::kReplicationSources, key("s"),
        [](const Json& object) { return synchronizing(object).find("not on a Friday") != std::string::npos; });
  EXPECT_THAT(kubectl({"get", "events", "-o", "jsonpath={.items[*].message}"}), HasSubstr("not on a Friday"));
  ASSERT_TRUE(api().remove(kBindings, {"", name}, {}).ok());
  ASSERT_TRUE(api().remove(kPolicies, {"", name}, {}).ok());
  awaitSync(r::kReplicationSources, "s", "one");
}

}  // namespace
}  // namespace godwit::apiserver
