#include "api/core.h"

#include <gtest/gtest.h>

using namespace godwit;
using namespace godwit::api;

TEST(Base64, KnownAnswers) {  // RFC 4648, section 10
  const std::pair<std::string, std::string> known[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : known) {
    EXPECT_EQ(base64Encode(plain), encoded);
    EXPECT_EQ(*base64Decode(encoded), plain);
  }
  EXPECT_EQ(*base64Decode("Zm9v\nYmFy\r\n"), "foobar");
}

TEST(Base64, EveryByteSurvives) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t n = 0; n <= bytes.size(); ++n)
    EXPECT_EQ(*base64Decode(base64Encode(bytes.substr(n))), bytes.substr(n));
}

TEST(Base64, RefusesAnythingElse) {
  for (const char* bad :
       {"Z", "Zg", "Zg=", "=", "====", "Z===", "Zg==Zg==", "Zg=a", "Zm9-", "Zm 9", "Zg== ", "\xff\xff\xff\xff"})
    EXPECT_TRUE(base64Decode(bad).is(Errc::Invalid)) << bad;
}

TEST(Core, Pvc) {
  const auto pvc = pvcFromJson(Json::parse(R"({"metadata": {"name": "p"}, "spec": {"storageClassName": "",
      "volumeName": "pv", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": 1024}}},
      "status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}})"));
  EXPECT_EQ(pvc.meta.name, "p");
  EXPECT_EQ(pvc.storageClassName, "");
  EXPECT_EQ(pvc.volumeMode, "Filesystem");
  EXPECT_EQ(pvc.accessModes, std::vector<std::string>{"ReadWriteOnce"});
  EXPECT_EQ(pvc.requested, "1024");
  EXPECT_EQ(pvc.capacity, "1Gi");
  EXPECT_EQ(pvc.phase, "Bound");
}

TEST(Core, Snapshot) {
  const auto snapshot = snapshotFromJson(Json::parse(R"({"spec": {"source": {"persistentVolumeClaimName": "p"},
      "volumeSnapshotClassName": "c"}, "status": {"readyToUse": true, "restoreSize": "2Gi",
      "boundVolumeSnapshotContentName": "sc", "error": {"message": "slow"}}})"));
  EXPECT_EQ(snapshot.sourcePvc, "p");
  EXPECT_EQ(snapshot.className, "c");
  EXPECT_TRUE(snapshot.readyToUse);
  EXPECT_EQ(snapshot.restoreSize, "2Gi");
  EXPECT_EQ(snapshot.contentName, "sc");
  EXPECT_EQ(snapshot.error, "slow");
}

TEST(Core, JobThatFailedForGood) {
  const auto job = jobFromJson(Json::parse(R"({"spec": {"parallelism": 0, "backoffLimit": 2}, "status": {"failed": 3,
      "startTime": "2021-01-14T19:43:07Z", "conditions": [{"type": "Complete", "status": "False"},
      {"type": "Failed", "status": "True", "message": "too often"}]}})"));
  EXPECT_EQ(job.parallelism, 0);
  EXPECT_EQ(job.backoffLimit, 2);
  EXPECT_EQ(job.failed, 3);
  EXPECT_FALSE(job.complete);
  EXPECT_TRUE(job.failedForGood);
  EXPECT_EQ(job.failureMessage, "too often");
  EXPECT_TRUE(job.startTime);
}

TEST(Core, PodThatEnded) {
  const auto pod = podFromJson(Json::parse(R"({"spec": {"nodeName": "n", "volumes": [{"name": "x"},
      {"persistentVolumeClaim": {"claimName": "c"}}], "tolerations": [{"key": "k"}]}, "status": {"phase": "Failed",
      "podIP": "10.0.0.1", "containerStatuses": [{"state": {"terminated": {"exitCode": 3, "message": "m",
      "finishedAt": "2021-01-14T19:43:07Z"}}}], "conditions": [{"type": "PodScheduled", "status": "True", "message": "no"}]}})"));
  EXPECT_EQ(pod.claims, std::vector<std::string>{"c"});
  EXPECT_TRUE(pod.terminated);
  EXPECT_EQ(pod.exitCode, 3);
  EXPECT_EQ(pod.terminationMessage, "m");
  EXPECT_TRUE(pod.finishTime);
  EXPECT_EQ(pod.tolerations.size(), 1u);
  EXPECT_EQ(pod.unschedulable, "");
}

TEST(Core, PodThatWaits) {
  const auto pod = podFromJson(Json::parse(R"({"status": {"containerStatuses": [
      {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no image"}}}],
      "conditions": [{"type": "PodScheduled", "status": "False", "message": "no node"}]}})"));
  EXPECT_FALSE(pod.terminated);
  EXPECT_EQ(pod.waitingReason, "ImagePullBackOff");
  EXPECT_EQ(pod.waitingMessage, "no image");
  EXPECT_EQ(pod.unschedulable, "no node");
}

TEST(Core, Service) {
  const auto service = serviceFromJson(Json::parse(R"({"spec": {"type": "LoadBalancer", "clusterIP": "10.0.0.9",
      "ports": [{"port": 22, "nodePort": 30022}, {"port": 80}]},
      "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "h", "ip": "5.6.7.8"}, {}]}}})"));
  EXPECT_EQ(service.type, "LoadBalancer");
  EXPECT_EQ(service.port, 22);
  EXPECT_EQ(service.nodePort, 30022);
  EXPECT_EQ(service.ingress, (std::vector<std::string>{"1.2.3.4", "h"}));
  EXPECT_EQ(serviceFromJson(Json::object()).type, "ClusterIP");
}

TEST(Core, SecretLeavesOutWhatDoesNotDecode) {
  const auto secret = secretFromJson(Json::parse(R"({"data": {"good": "Zm9v", "bad": "?", "number": 3}})"));
  EXPECT_EQ(secret.data, (StringMap{{"good", "foo"}}));
}

TEST(Core, AnythingIsTolerated) {
  for (const char* odd :
       {"null", "[]", "3", R"({"spec": [], "status": "x"})", R"({"spec": {"ports": {}, "volumes": [1]},
       "status": {"containerStatuses": [{"state": 3}], "conditions": [null]}})"}) {
    const Json object = Json::parse(odd);
    EXPECT_EQ(pvcFromJson(object).phase, "");
    EXPECT_FALSE(snapshotFromJson(object).readyToUse);
    EXPECT_FALSE(jobFromJson(object).complete);
    EXPECT_FALSE(podFromJson(object).terminated);
    EXPECT_EQ(serviceFromJson(object).port, 0);
    EXPECT_TRUE(secretFromJson(object).data.empty());
  }
}
