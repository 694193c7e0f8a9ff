#include "node/world.h"

namespace godwit::sim {
namespace {

namespace r = kube::resources;
using testing::Contains;
using testing::HasSubstr;

class PodsTest : public World {
 protected:
  void end(int code, const std::string& message = "") {
    ASSERT_FALSE(runner.running.empty());
    runner.running.front()->outcome = ScriptedRunner::Outcome{{code, 0}, message};
    settle();
  }
  Json pod(std::size_t index = 0) {
    const auto pods = list(r::kPods);
    return index < pods.size() ? pods[index] : Json();
  }
  static Json state(const Json& pod) {
    const auto* statuses = find(pod, "status", "containerStatuses");
    return statuses && !statuses->empty() ? statuses->front()["state"] : Json();
  }
  std::string condition(const std::string& name, const char* type) {
    const auto object = get(r::kJobs, name);
    const auto* conditions = find(object, "status", "conditions");
    if (!conditions) return "";
    for (const auto& c : *conditions) {
      if (text(c, "type") == type && text(c, "status") == "True")
        return text(c, "reason").empty() ? "yes" : text(c, "reason");
    }
    return "";
  }
};

TEST_F(PodsTest, AJobRunsReportsAndCompletes) {
  job("move");
  EXPECT_EQ(text(pod(), "status", "phase"), "Running");
  EXPECT_EQ(text(pod(), "metadata", "labels", "batch.kubernetes.io/job-name"), "move");
  EXPECT_THAT(text(pod(), "metadata", "name"), testing::StartsWith("move-"));
  EXPECT_EQ(number(0, get(r::kJobs, "move"), "status", "active"), 1);
  end(0, "{\"ok\":true}");
  EXPECT_EQ(text(pod(), "status", "phase"), "Succeeded");
  EXPECT_EQ(text(state(pod()), "terminated", "message"), "{\"ok\":true}");
  EXPECT_EQ(condition("move", "Complete"), "yes");
  EXPECT_EQ(number(0, get(r::kJobs, "move"), "status", "succeeded"), 1);
  EXPECT_FALSE(text(get(r::kJobs, "move"), "status", "completionTime").empty());
  EXPECT_EQ(runner.starts.size(), 1u);
}

TEST_F(PodsTest, FailuresBackOffUntilTheLimit) {
  job("move", Json::object(), 1);
  end(3);
  EXPECT_EQ(number(0, state(pod()), "terminated", "exitCode"), 3);
  EXPECT_TRUE(runner.running.empty());
  advance(std::chrono::seconds(9));
  EXPECT_TRUE(runner.running.empty());
  advance(std::chrono::seconds(2));
  ASSERT_EQ(runner.running.size(), 1u);
  end(4);
  EXPECT_EQ(condition("move", "Failed"), "BackoffLimitExceeded");
  EXPECT_EQ(number(0, get(r::kJobs, "move"), "status", "failed"), 2);
  advance(std::chrono::hours(1));
  EXPECT_EQ(runner.starts.size(), 2u);
}

TEST_F(PodsTest, ADeadlineEndsTheJob) {
  ASSERT_TRUE(
      store->patch(r::kJobs, {"ns", text(job("move"), "metadata", "name")}, {{"spec", {{"activeDeadlineSeconds", 60}}}})
          .ok());
  advance(std::chrono::seconds(59));
  EXPECT_EQ(condition("move", "Failed"), "");
  advance(std::chrono::seconds(2));
  EXPECT_EQ(condition("move", "Failed"), "DeadlineExceeded");
  ASSERT_EQ(runner.running.size(), 1u);
  EXPECT_TRUE(runner.running.front()->terminated);
}

TEST_F(PodsTest, AJobWithATimeToLiveGoesByItself) {
  job("move");
  ASSERT_TRUE(store->patch(r::kJobs, {"ns", "move"}, {{"spec", {{"ttlSecondsAfterFinished", 60}}}}).ok());
  end(0);
  advance(std::chrono::seconds(59));
  EXPECT_FALSE(get(r::kJobs, "move").is_null());
  advance(std::chrono::seconds(2));
  EXPECT_TRUE(get(r::kJobs, "move").is_null());
  EXPECT_TRUE(list(r::kPods).empty());
}

TEST_F(PodsTest, WhatThisNodeCannotDoIsSaidAndNotLeftOut) {
  const Json mounted = {{{"name", "v"}, {"mountPath", "/data"}, {"subPath", "inner"}}};
  job("sub", {{"volumes", {{{"name", "v"}, {"emptyDir", Json::object()}}}},
              {"containers", {{{"name", "c"}, {"command", {"true"}}, {"volumeMounts", mounted}}}}});
  EXPECT_THAT(text(state(pod()), "waiting", "message"), HasSubstr("subPath"));
  job("two", {{"containers", {{{"name", "c"}, {"command", {"true"}}}, {{"name", "d"}, {"command", {"true"}}}}}});
  EXPECT_THAT(text(state(pod(1)), "waiting", "message"), HasSubstr("one container"));
  job("again", {{"restartPolicy", "OnFailure"}});
  EXPECT_THAT(text(state(pod(0)), "waiting", "message"), HasSubstr("restartPolicy"));
  EXPECT_TRUE(runner.running.empty());
}

TEST_F(PodsTest, ParallelismZeroPauses) {
  job("move");
  ASSERT_TRUE(store->patch(r::kJobs, {"ns", "move"}, {{"spec", {{"parallelism", 0}}}}).ok());
  settle();
  ASSERT_EQ(runner.running.size(), 1u);
  EXPECT_TRUE(runner.running.front()->terminated);
  end(143);
  EXPECT_TRUE(list(r::kPods).empty());
  EXPECT_EQ(condition("move", "Failed"), "");
  ASSERT_TRUE(store->patch(r::kJobs, {"ns", "move"}, {{"spec", {{"parallelism", 1}}}}).ok());
  settle();
  EXPECT_EQ(runner.running.size(), 1u);
  EXPECT_EQ(number(0, get(r::kJobs, "move"), "status", "failed"), 0);
}

TEST_F(PodsTest, WhatADeletedPodHasDoneCounts) {
  job("move");
  ASSERT_TRUE(store->patch(r::kJobs, {"ns", "move"}, {{"spec", {{"parallelism", 0}}}}).ok());
  settle();
  ASSERT_EQ(runner.running.size(), 1u);
  end(0);  // it was done just before it was told to stop
  EXPECT_EQ(condition("move", "Complete"), "yes");
  EXPECT_EQ(number(0, get(r::kJobs, "move"), "status", "succeeded"), 1);
  EXPECT_TRUE(list(r::kPods).empty());
  EXPECT_EQ(runner.starts.size(), 1u);
}

TEST_F(PodsTest, ADeletedPodThatEndsWellWaitsForNoJobThatIsGoing) {
  job("move");
  remove(r::kJobs, "move");
  ASSERT_EQ(runner.running.size(), 1u);
  end(0);
  EXPECT_TRUE(list(r::kPods).empty());
}

TEST_F(PodsTest, ADeletedJobEndsItsContainerGracefullyThenHard) {
  job("move", {{"terminationGracePeriodSeconds", 5}});
  remove(r::kJobs, "move");
  ASSERT_EQ(runner.running.size(), 1u);
  EXPECT_TRUE(runner.running.front()->terminated);
  EXPECT_FALSE(list(r::kPods).empty());
  advance(std::chrono::seconds(6));
  EXPECT_TRUE(runner.running.empty());
  EXPECT_TRUE(list(r::kPods).empty());
}

TEST_F(PodsTest, ARestartedNodeReportsLostContainersAndStartsNoneTwice) {
  job("move");
  restart();
  EXPECT_EQ(text(pod(), "status", "reason"), "NodeLost");
  EXPECT_EQ(text(pod(), "status", "phase"), "Failed");
  advance(std::chrono::seconds(11));
  EXPECT_EQ(runner.running.size(), 1u);
  EXPECT_FALSE(runner.doubled);
  for (const auto& [name, starts] : runner.starts) EXPECT_EQ(starts, 1) << name;
}

TEST_F(PodsTest, AMissingSecretIsWaitedForWithItsName) {
  job("move",
      {{"volumes", {{{"name", "keys"}, {"secret", {{"secretName", "keys"}, {"defaultMode", 0600}}}}}},
       {"containers",
        {{{"name", "c"}, {"command", {"true"}}, {"volumeMounts", {{{"name", "keys"}, {"mountPath", "/keys"}}}}}}}});
  EXPECT_EQ(text(state(pod()), "waiting", "reason"), "CreateContainerConfigError");
  EXPECT_EQ(text(state(pod()), "waiting", "message"), "secret \"keys\" not found");
  create(r::kSecrets, {{"metadata", {{"name", "keys"}}}, {"data", {{"source", "a2V5"}}}});
  advance(std::chrono::minutes(1));
  ASSERT_EQ(runner.running.size(), 1u);
  const auto& files = runner.running.front()->spec.mounts.front().files;
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files[0].content, "key");
  EXPECT_EQ(files[0].mode, 0600u);
}

TEST_F(PodsTest, AClaimThatIsNotBoundHoldsThePodBack) {
  claim("data", {{"storageClassName", "nope"}});
  job("move", {{"volumes", {{{"name", "v"}, {"persistentVolumeClaim", {{"claimName", "data"}}}}}}});
  EXPECT_TRUE(runner.running.empty());
  EXPECT_EQ(text(pod(), "spec", "nodeName"), "");
  EXPECT_THAT(eventReasons(), Contains("FailedScheduling").Times(1));
  EXPECT_THAT(text(pod()["status"]["conditions"][0], "message"),
              HasSubstr("\"nope\" not found"));  // the claim's own reason
}

TEST_F(PodsTest, EnvironmentComesFromValuesSecretsAndFields) {
  create(r::kSecrets, {{"metadata", {{"name", "s"}}}, {"data", {{"k", "dmFsdWU="}}}});
  const Json env = Json::array({{{"name", "A"}, {"value", "1"}},
                                {{"name", "B"}, {"value", "$(A)2$$"}},
                                {{"name", "C"}, {"valueFrom", {{"secretKeyRef", {{"name", "s"}, {"key", "k"}}}}}},
                                {{"name", "D"}, {"valueFrom", {{"fieldRef", {{"fieldPath", "metadata.namespace"}}}}}}});
  const Json all = Json::array({{{"prefix", "P_"}, {"secretRef", {{"name", "s"}}}}});
  job("move", {{"containers", {{{"name", "c"}, {"command", {"echo", "$(C)"}}, {"env", env}, {"envFrom", all}}}}});
  ASSERT_EQ(runner.running.size(), 1u);
  const auto& spec = runner.running.front()->spec;
  EXPECT_EQ(spec.command[1], "value");
  EXPECT_THAT(spec.env,
              testing::ElementsAre(testing::Pair("P_k", "value"), testing::Pair("A", "1"), testing::Pair("B", "12$"),
                                   testing::Pair("C", "value"), testing::Pair("D", "ns")));
}

TEST_F(PodsTest, ARunnerThatRefusesIsTriedAgain) {
  runner.gate = [](const auto&) -> Result<void> { return Error{Errc::Io, "out of processes"}; };
  job("move");
  EXPECT_EQ(text(state(pod()), "waiting", "message"), "out of processes");
  runner.gate = nullptr;
  advance(std::chrono::minutes(2));
  EXPECT_EQ(text(pod(), "status", "phase"), "Running");
}

}  // namespace
}  // namespace godwit::sim
