#include "standalone/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit::standalone {
namespace {

namespace r = kube::resources;
using testing::HasSubstr;

class AdmissionTest : public testing::Test {
 protected:
  void SetUp() override {
    store = std::move(*Store::open({}, clock, random));
    installAdmission(*store);
  }
  static Json object(Json body) {
    body["metadata"] = {{"name", "x"}, {"namespace", "default"}};
    return body;
  }
  std::string refusal(const kube::ResourceType& type, Json body) {
    const auto made = store->create(type, object(std::move(body)), Store::Commit::DryRun);
    return made.ok() ? "" : made.error().message;
  }
  static Json pod(Json extra = Json::object()) {
    Json out{{"containers", {{{"name", "c"}, {"image", "i"}}}}};
    out.merge_patch(extra);
    return {{"spec", out}};
  }

  ManualClock clock{TimePoint(std::chrono::seconds(1700000000))};
  Random random{3};
  std::unique_ptr<Store> store;
};

// As `standalone -f` writes: nobody else is there to say that a field is not known.
TEST_F(AdmissionTest, WhatAKindDoesNotKnowIsNotStoredAndIsSaid) {
  Json odd = object({{"spec",
                      {{"storageClasName", "nowhere"},
                       {"accessModes", {"ReadWriteOnce"}},
                       {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}});
  odd["metadata"]["lables"] = {{"a", "b"}};
  testing::internal::CaptureStderr();
  const auto made = store->create(r::kPersistentVolumeClaims, odd);
  const auto source = store->create(r::kReplicationSources, object({{"spec", {{"sourcePvc", "x"}}}}));
  const auto said = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(made.ok() && source.ok());
  EXPECT_FALSE(find(*made, "spec", "storageClasName"));
  EXPECT_FALSE(find(*made, "metadata", "lables"));
  EXPECT_FALSE(find(*source, "spec", "sourcePvc"));
  EXPECT_THAT(said, HasSubstr("PersistentVolumeClaim default/x: unknown field \"spec.storageClasName\"\n"));
  EXPECT_THAT(said, HasSubstr("PersistentVolumeClaim default/x: unknown field \"metadata.lables\"\n"));
  EXPECT_THAT(said, HasSubstr("ReplicationSource default/x: unknown field \"spec.sourcePvc\"\n"));
}

TEST_F(AdmissionTest, Secrets) {
  EXPECT_THAT(refusal(r::kSecrets, {{"data", {{"k", "not base64"}}}}), HasSubstr("data.k"));
  EXPECT_THAT(refusal(r::kSecrets, {{"data", {{"k", 3}}}}), HasSubstr("data.k"));
  EXPECT_THAT(refusal(r::kSecrets, {{"stringData", {{"a b", "v"}}}}), HasSubstr("data[a b]"));
  EXPECT_EQ(refusal(r::kSecrets, {{"data", {{"k", "Yg=="}}}}), "");
  ASSERT_TRUE(store->create(r::kSecrets, object({{"immutable", true}, {"data", {{"k", "Yg=="}}}})).ok());
  EXPECT_TRUE(store->patch(r::kSecrets, {"default", "x"}, {{"data", {{"k", "YQ=="}}}}).is(Errc::Invalid));
  EXPECT_TRUE(store->patch(r::kSecrets, {"default", "x"}, {{"type", "other"}}).is(Errc::Invalid));
}

// Their keys become file names where they are mounted: none may lead anywhere else.
TEST_F(AdmissionTest, ConfigMaps) {
  for (const char* key : {"../../x", "..", ".", "..x", "a b", ""}) {
    EXPECT_THAT(refusal(r::kConfigMaps, {{"data", {{key, "v"}}}}), HasSubstr("data[")) << key;
    EXPECT_THAT(refusal(r::kSecrets, {{"data", {{key, "Yg=="}}}}), HasSubstr("data[")) << key;
  }
  EXPECT_THAT(refusal(r::kConfigMaps, {{"binaryData", {{"k", "not base64"}}}}), HasSubstr("binaryData.k"));
  EXPECT_THAT(refusal(r::kConfigMaps, {{"data", {{"k", std::string((1 << 20) + 1, 'x')}}}}), HasSubstr("Too long"));
  ASSERT_TRUE(store->create(r::kConfigMaps, object({{"immutable", true}, {"data", {{".k", "v"}}}})).ok());
  EXPECT_TRUE(store->patch(r::kConfigMaps, {"default", "x"}, {{"data", {{".k", "w"}}}}).is(Errc::Invalid));
}

TEST_F(AdmissionTest, Claims) {
  const auto with = [](const char* mode, const char* size) {
    return Json{{"spec", {{"accessModes", {mode}}, {"resources", {{"requests", {{"storage", size}}}}}}}};
  };
  EXPECT_EQ(refusal(r::kPersistentVolumeClaims, with("ReadWriteOnce", "1Gi")), "");
  EXPECT_THAT(refusal(r::kPersistentVolumeClaims, Json::object()), HasSubstr("spec: Required"));
  EXPECT_THAT(refusal(r::kPersistentVolumeClaims, with("RWO", "1Gi")), HasSubstr("spec.accessModes"));
  EXPECT_THAT(refusal(r::kPersistentVolumeClaims, with("ReadWriteOnce", "lots")), HasSubstr("requests.storage"));
  EXPECT_THAT(refusal(r::kPersistentVolumeClaims, with("ReadWriteOnce", "0")), HasSubstr("greater than zero"));
  ASSERT_TRUE(store->create(r::kPersistentVolumeClaims, object(with("ReadWriteOnce", "1Gi"))).ok());
  const auto patched = [&](Json spec) {
    return store->patch(r::kPersistentVolumeClaims, {"default", "x"}, {{"spec", std::move(spec)}}).ok();
  };
  EXPECT_TRUE(patched({{"storageClassName", "godwit"}, {"volumeName", "v"}}));
  EXPECT_FALSE(patched({{"volumeName", "w"}}));
  EXPECT_FALSE(patched({{"storageClassName", "other"}}));
}

TEST_F(AdmissionTest, Volumes) {
  const auto with = [](Json source) {
    Json spec{{"accessModes", {"ReadWriteOnce"}}, {"capacity", {{"storage", "1Gi"}}}};
    spec.merge_patch(source);
    return Json{{"spec", spec}};
  };
  EXPECT_EQ(refusal(r::kPersistentVolumes, with({{"hostPath", {{"path", "/srv"}}}})), "");
  EXPECT_THAT(refusal(r::kPersistentVolumes, with({{"hostPath", {{"path", "srv"}}}})), HasSubstr("absolute"));
  EXPECT_THAT(refusal(r::kPersistentVolumes, with({{"hostPath", {{"path", "/srv/../etc"}}}})), HasSubstr("'..'"));
  EXPECT_THAT(refusal(r::kPersistentVolumes, with(Json::object())), HasSubstr("volume type"));
  EXPECT_THAT(refusal(r::kStorageClasses, Json::object()), HasSubstr("provisioner"));
  EXPECT_THAT(refusal(r::kVolumeSnapshotClasses, {{"driver", "d"}}), HasSubstr("deletionPolicy"));
  EXPECT_THAT(refusal(r::kVolumeSnapshots, {{"spec", {{"source", Json::object()}}}}), HasSubstr("spec.source"));
}

TEST_F(AdmissionTest, Pods) {
  EXPECT_EQ(refusal(r::kPods, pod()), "");
  EXPECT_THAT(refusal(r::kPods, {{"spec", {{"containers", Json::array()}}}}), HasSubstr("spec.containers"));
  EXPECT_THAT(refusal(r::kPods, pod({{"containers", {{{"name", "c"}}}}})), HasSubstr("containers[0].image"));
  const Json mounts{
      {"containers", {{{"name", "c"}, {"image", "i"}, {"volumeMounts", {{{"name", "v"}, {"mountPath", "/v"}}}}}}}};
  EXPECT_THAT(refusal(r::kPods, pod(mounts)), HasSubstr("Not found: \"v\""));
  ASSERT_TRUE(store->create(r::kPods, object(pod())).ok());
  EXPECT_TRUE(store->patch(r::kPods, {"default", "x"}, {{"spec", {{"nodeName", "n"}}}}).ok());
  EXPECT_TRUE(store->patch(r::kPods, {"default", "x"}, {{"spec", {{"nodeName", "m"}}}}).is(Errc::Invalid));
  EXPECT_TRUE(store->patch(r::kPods, {"default", "x"}, {{"spec", {{"hostNetwork", true}}}}).is(Errc::Invalid));
}

TEST_F(AdmissionTest, Jobs) {
  const auto job = [&](Json podSpec) { return Json{{"spec", {{"template", pod(std::move(podSpec))}}}}; };
  EXPECT_THAT(refusal(r::kJobs, {{"spec", Json::object()}}), HasSubstr("spec.template.spec"));
  EXPECT_THAT(refusal(r::kJobs, job({{"restartPolicy", "Always"}})), HasSubstr("restartPolicy"));
  const auto made = store->create(r::kJobs, object(job({{"restartPolicy", "Never"}})));
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(text(*made, "spec", "template", "metadata", "labels", "job-name"), "x");
  EXPECT_TRUE(store->patch(r::kJobs, {"default", "x"}, {{"spec", {{"parallelism", 0}}}}).ok());
  EXPECT_TRUE(store->patch(r::kJobs, {"default", "x"}, {{"spec", {{"template", {{"spec", {{"hostNetwork", true}}}}}}}})
                  .is(Errc::Invalid));
  EXPECT_TRUE(store->patch(r::kJobs, {"default", "x"}, {{"spec", {{"parallelism", -1}}}}).is(Errc::Invalid));
}

TEST_F(AdmissionTest, Services) {
  const auto service = [](Json spec) { return Json{{"spec", std::move(spec)}}; };
  EXPECT_EQ(refusal(r::kServices, service({{"ports", {{{"port", 22}}}}})), "");
  EXPECT_THAT(refusal(r::kServices, service(Json::object())), HasSubstr("spec.ports"));
  EXPECT_THAT(refusal(r::kServices, service({{"ports", {{{"port", 70000}}}}})), HasSubstr("65535"));
  EXPECT_THAT(refusal(r::kServices, service({{"type", "Magic"}})), HasSubstr("spec.type"));
}

TEST_F(AdmissionTest, DefinitionsOfKindsNobodyServesAreRefused) {
  Json crd{{"metadata", {{"name", "things.example.com"}}},
           {"spec", {{"group", "example.com"}, {"names", {{"plural", "things"}}}}}};
  EXPECT_TRUE(store->create(r::kCustomResourceDefinitions, crd).is(Errc::Invalid));
  ASSERT_TRUE(seedCustomResourceDefinitions(*store).ok());
  ASSERT_TRUE(seedCustomResourceDefinitions(*store).ok());
  const auto seeded = store->get(r::kCustomResourceDefinitions, {"", "replicationsources.volsync.backube"});
  ASSERT_TRUE(seeded.ok());
  EXPECT_EQ(text((*seeded)["status"]["conditions"][1], "type"), "Established");
}

}  // namespace
}  // namespace godwit::standalone
