#include "standalone/protobuf_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit::standalone {
namespace {

using testing::HasSubstr;

// `kubectl create job j --image=busybox -- sleep 1` of 1.33, as it went over the wire.
constexpr std::string_view kJob =
    "6b3873000a0f0a0862617463682f763112034a6f621282010a110a016a12001a0022002a00320038004200126332610a100a0012001a"
    "0022002a0032003800420012"
    "4d122a0a016a120762757379626f781a05736c6565701a01312a0042006a007200800100880100900100a201001a054e657665723200"
    "42004a0052005800600068008201008a01009a0100c201001a082000280030003a001a002200";
constexpr std::string_view kService =  // `kubectl create service clusterip s --tcp=80:8080`
    "6b3873000a0d0a02763112075365727669636512630a1b0a017312001a0022002a003200380042005a080a0361707012017312400a1b"
    "0a0738302d38303830120354435018502207080010903f1a00280012080a036170701201731a002209436c757374657249503a004200"
    "52005a00600068001a020a001a002200";
constexpr std::string_view kReview =  // `kubectl auth whoami`
    "6b3873000a2d0a1861757468656e7469636174696f6e2e6b38732e696f2f7631121153656c665375626a656374526576696577121a0a"
    "100a0012001a0022002a0032003800420012060a040a0012001a002200";

std::string bytes(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return out;
}

std::string varint(unsigned value) {
  if (value < 0x80) return {static_cast<char>(value)};
  return static_cast<char>(value | 0x80) + varint(value >> 7);
}
std::string field(unsigned number, const std::string& content) {
  return varint(number << 3 | 2) + varint(static_cast<unsigned>(content.size())) + content;
}
std::string field(unsigned number, char value) {
  return varint(number << 3) + value;
}

Result<Json> decoded(const std::string& kind, const std::string& message) {
  const auto type = field(1, "v1") + field(2, kind);
  return objectFromProtobuf(std::string("k8s\0", 4) + field(1, type) + field(2, message));
}

TEST(ProtobufBody, WhatKubectlSends) {
  const auto job = objectFromProtobuf(bytes(kJob));
  ASSERT_TRUE(job.ok()) << job.error().message;
  EXPECT_EQ(*job, Json::parse(R"({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "status": {},
    "spec": {"template": {"metadata": {}, "spec": {"restartPolicy": "Never", "containers": [
      {"name": "j", "image": "busybox", "command": ["sleep", "1"], "resources": {}}]}}}})"));
  const auto service = objectFromProtobuf(bytes(kService));
  ASSERT_TRUE(service.ok()) << service.error().message;
  EXPECT_EQ((*service)["spec"], Json::parse(R"({"type": "ClusterIP", "selector": {"app": "s"},
    "ports": [{"name": "80-8080", "protocol": "TCP", "port": 80, "targetPort": 8080}]})"));
  EXPECT_TRUE(objectFromProtobuf(bytes(kReview)).ok());
}

TEST(ProtobufBody, ZeroIsKeptWhereItMeansSomething) {
  const auto entry = [](const char* key, const std::string& value) {
    return field(2, field(1, key) + field(2, value));
  };
  const auto secret = decoded("Secret", entry("empty", "") + entry("k", std::string("\0v", 2)) + field(5, '\0'));
  ASSERT_TRUE(secret.ok()) << secret.error().message;
  EXPECT_EQ((*secret)["data"], Json::parse(R"({"empty": "", "k": "AHY="})"));
  EXPECT_EQ((*secret)["immutable"], false);
  const auto volume = field(1, field(1, "v") + field(2, field(2, "")));
  const auto pod = decoded("Pod", field(2, field(4, '\0') + field(11, '\0') + volume));
  ASSERT_TRUE(pod.ok()) << pod.error().message;
  EXPECT_EQ((*pod)["spec"],
            Json::parse(R"({"terminationGracePeriodSeconds": 0, "volumes": [{"name": "v", "emptyDir": {}}]})"));
}

TEST(ProtobufBody, QuantitiesAndTimes) {
  const auto requests = field(2, field(1, "storage") + field(2, field(1, "1Gi")));
  const auto claim =
      decoded("PersistentVolumeClaim", field(1, field(8, field(1, '\1'))) + field(2, field(2, requests)));
  ASSERT_TRUE(claim.ok()) << claim.error().message;
  EXPECT_EQ((*claim)["spec"]["resources"], Json::parse(R"({"requests": {"storage": "1Gi"}})"));
  EXPECT_EQ(text(*claim, "metadata", "creationTimestamp"), "1970-01-01T00:00:01Z");
  const auto time = field(1, '\2') + varint(2 << 3) + varint(5000000);
  const auto lease = decoded("Lease", field(2, field(3, "") + field(4, time)));
  ASSERT_TRUE(lease.ok()) << lease.error().message;
  EXPECT_EQ((*lease)["spec"], Json::parse(R"({"renewTime": "1970-01-01T00:00:02.005000Z"})"));
}

TEST(ProtobufBody, NothingIsLeftOutSilently) {
  const auto affinity = decoded("Pod", field(2, field(18, field(1, "x"))));
  EXPECT_TRUE(affinity.is(Errc::Unsupported));
  EXPECT_THAT(affinity.error().message, HasSubstr("spec.affinity"));
  const auto later = decoded("Pod", field(2, field(9, "") + field(126, "") + field(127, "x")));
  EXPECT_TRUE(later.is(Errc::Unsupported));
  EXPECT_THAT(later.error().message, HasSubstr("127"));
  EXPECT_TRUE(decoded("PersistentVolume", "").is(Errc::Unsupported));
  EXPECT_TRUE(decoded("Gadget", "").is(Errc::Unsupported));
}

// Cut or flipped anywhere it may still be a message; it must not be a crash.
TEST(ProtobufBody, DamageIsSurvived) {
  for (const auto& whole : {bytes(kJob), bytes(kService), bytes(kReview)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) (void)objectFromProtobuf(whole.substr(0, size));
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const int flip : {0x01, 0x08, 0x80, 0xff}) {
        auto damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ flip);
        (void)objectFromProtobuf(damaged);
      }
    }
  }
  EXPECT_TRUE(objectFromProtobuf(bytes(kJob).substr(0, 100)).is(Errc::Invalid));
  EXPECT_TRUE(decoded("Secret", field(3, "\xff")).is(Errc::Invalid));
  EXPECT_TRUE(decoded("Secret", field(3, '\1')).is(Errc::Invalid));
  EXPECT_TRUE(objectFromProtobuf("{}").is(Errc::Invalid));
}

}  // namespace
}  // namespace godwit::standalone
