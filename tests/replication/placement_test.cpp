// copyMethod Direct: the mover goes where the volume's users are, also when they move before it runs.
#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

constexpr const char* kJob = "volsync-rsync-src-s";

class Places : public MiniWorld {
 protected:
  void SetUp() override {
    makeApp("app-0", "a");
    startSource("Direct");
    ASSERT_EQ(node(), "a");
  }
  void makeApp(const std::string& name, const std::string& node) {
    Json pod = {{"metadata", {{"name", name}}},
                {"spec",
                 {{"containers", Json::array({{{"name", "app"}, {"image", "app"}}})},
                  {"volumes", Json::array({{{"name", "v"}, {"persistentVolumeClaim", {{"claimName", "data"}}}}})}}}};
    if (!node.empty()) pod["spec"]["nodeName"] = node;
    put(kinds::kPods, pod);
    edit(kinds::kPods, name, {{"status", {{"phase", node.empty() ? "Pending" : "Running"}}}},
         kube::Subresource::Status);
  }
  // Its node does not ask for it any more.
  void removePod(const std::string& name) {
    ASSERT_TRUE(store->remove(kinds::kPods, {"ns", name}, {.gracePeriodSeconds = 0}).ok());
  }
  std::string node() {
    return text(get(kinds::kJobs, kJob), "spec", "template", "spec", "nodeSelector", "kubernetes.io/hostname");
  }
  std::string uid() { return text(get(kinds::kJobs, kJob), "metadata", "uid"); }
  // The mover's pod finds no node.
  std::string pend() {
    const auto pod = makePod(get(kinds::kJobs, kJob));
    const Json condition = {{"type", "PodScheduled"}, {"status", "False"}, {"message", "0/2 nodes are available"}};
    edit(kinds::kPods, pod, {{"status", {{"phase", "Pending"}, {"conditions", Json::array({condition})}}}},
         kube::Subresource::Status);
    edit(kinds::kJobs, kJob, {{"status", {{"active", 1}}}}, kube::Subresource::Status);
    settle();
    return pod;
  }
  // A node is drained and replaced: the mover's pod there has failed, and another waits for the node.
  void drain() {
    edit(kinds::kJobs, kJob, {{"status", {{"failed", 1}}}}, kube::Subresource::Status);
    pend();
  }
};

TEST_F(Places, AMoverWhoseNodeIsGoneFollowsThePodThatUsesTheVolume) {
  drain();
  removePod("app-0");
  makeApp("app-1", "b");
  advance(61s);
  EXPECT_EQ(node(), "b");
  const auto made = uid();
  pend();
  advance(1h);
  EXPECT_EQ(uid(), made) << "it is where it belongs";
}

TEST_F(Places, SoDoesOneThatHasNeverRun) {
  pend();
  removePod("app-0");
  makeApp("app-1", "b");
  advance(61s);
  EXPECT_EQ(node(), "b");
  endMover(Role::Source, true, resultMessage(true));
  settle();
  EXPECT_EQ(source().status.lastManualSync, "one");
}

TEST_F(Places, AMoverThatMerelyWaitsForItsNodeIsLeft) {
  const auto before = uid();
  drain();
  advance(1h);
  EXPECT_EQ(uid(), before);
}

// Two use the volume, and the list may begin with either.
TEST_F(Places, OneOfSeveralNodesIsAsGoodAsTheOther) {
  const auto before = uid();
  makeApp("app", "b");
  drain();
  advance(1h);
  EXPECT_EQ(uid(), before);
}

TEST_F(Places, AVolumeThatNobodyUsesAnyMoreMayBeReadAnywhere) {
  drain();
  removePod("app-0");
  advance(61s);
  EXPECT_EQ(node(), "");
}

// It would hold the volume on another node than the one that the application gets.
TEST_F(Places, AnApplicationThatHasNoNodeYetIsWaitedFor) {
  drain();
  removePod("app-0");
  makeApp("app-1", "");
  advance(61s);
  EXPECT_EQ(node(), "a");
  edit(kinds::kPods, "app-1", {{"spec", {{"nodeName", "b"}}}});
  advance(61s);
  EXPECT_EQ(node(), "b");
}

TEST_F(Places, AMoverThatRunsUnseenIsLeftToItsEnd) {
  const auto before = uid();
  const auto pod = pend();
  faulty->silent = {"pods"};
  edit(kinds::kPods, pod, {{"spec", {{"nodeName", "a"}}}, {"status", {{"phase", "Running"}}}});
  edit(kinds::kPods, pod, {{"status", {{"phase", "Running"}}}}, kube::Subresource::Status);
  removePod("app-0");
  makeApp("app-1", "b");
  advance(1h);
  EXPECT_EQ(uid(), before);
}

TEST_F(Places, AJobOfVolSyncsIsLeft) {
  const auto before = uid();
  edit(kinds::kJobs, kJob, {{"metadata", {{"annotations", {{"godwit/pod-hash", nullptr}}}}}});
  drain();
  removePod("app-0");
  makeApp("app-1", "b");
  advance(1h);
  EXPECT_EQ(uid(), before);
}

}  // namespace
}  // namespace godwit::replication
