// A claim that is filled from a replica: what a restore looks like to whoever needs the data.
#include <fmt/core.h>

#include "pair.h"

namespace godwit::e2e {

namespace r = kube::resources;

namespace {

class EveryBinding : public testing::TestWithParam<const char*> {
 protected:
  static std::string claim(const std::string& ns, const std::string& storageClass, const std::string& destination) {
    return fmt::format(
        R"({{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {{"name": "restored", "namespace": "{}"}},
      "spec": {{"storageClassName": "{}", "accessModes": ["ReadWriteOnce"], "resources": {{"requests": {{"storage": "1Gi"}}}},
                "dataSourceRef": {{"apiGroup": "volsync.backube", "kind": "ReplicationDestination", "name": "{}"}}}}}})",
        ns, storageClass, destination);
  }
  // WaitForFirstConsumer: somebody has to want it.
  static std::string user(const std::string& ns) {
    return fmt::format(R"({{"apiVersion": "batch/v1", "kind": "Job", "metadata": {{"name": "user", "namespace": "{}"}},
      "spec": {{"template": {{"spec": {{"restartPolicy": "Never",
        "containers": [{{"name": "c", "image": "none", "command": ["true"], "volumeMounts": [{{"name": "v", "mountPath": "/data"}}]}}],
        "volumes": [{{"name": "v", "persistentVolumeClaim": {{"claimName": "restored"}}}}]}}}}}}}})",
                       ns);
  }
};

TEST_P(EveryBinding, AClaimHoldsWhatTheNewestImageHolds) {
  Installation godwit;
  godwit.start();
  if (HasFatalFailure()) return;
  godwit.apply(
      fmt::format(R"({{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {{"name": "restore-to"}},
    "provisioner": "godwit.io/pool", "volumeBindingMode": "{}"}})",
                  GetParam()));
  Pair pair(godwit, {});
  makeNastyTree(pair.data());
  pair.introduce();
  pair.applySource();
  godwit.apply(claim(pair.there(), "restore-to", "pair"));  // before there is an image: it waits
  godwit.apply(user(pair.there()));
  const auto bound = godwit.until(r::kPersistentVolumeClaims, {pair.there(), "restored"},
                                  [](const Json& object) { return text(object, "status", "phase") == "Bound"; });
  const auto volume = godwit.api().get(r::kPersistentVolumes, {"", text(bound, "spec", "volumeName")});
  ASSERT_TRUE(volume.ok()) << volume.error().message;
  EXPECT_EQ(difference(pair.data(), text(*volume, "spec", "local", "path")), "");
  godwit.until(r::kJobs, {pair.there(), "user"},
               [](const Json& job) { return number(0, job, "status", "succeeded") == 1; });
  godwit.untilNone(r::kPersistentVolumeClaims, "volsync-vp-");
}

INSTANTIATE_TEST_SUITE_P(Modes, EveryBinding, testing::Values("Immediate", "WaitForFirstConsumer"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace

}  // namespace godwit::e2e
