// Creating, reading, patching.
#include <set>
#include <thread>

#include "contract/api_contract.h"

namespace godwit::contract {

namespace r = kube::resources;
using kube::Subresource;

TEST_P(ApiContract, CreateFillsInWhatTheServerKnows) {
  const Json made = makeConfigMap("a");
  EXPECT_EQ(text(made, "apiVersion"), "v1");
  EXPECT_EQ(text(made, "kind"), "ConfigMap");
  EXPECT_EQ(text(made, "data", "k"), "v");
  EXPECT_EQ(text(made, "metadata", "namespace"), ns);
  EXPECT_NE(text(made, "metadata", "uid"), "");
  EXPECT_NE(text(made, "metadata", "creationTimestamp"), "");
  EXPECT_NE(versionOf(made), "");
  const auto got = api->get(r::kConfigMaps, key("a"));
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(*got, made);
}

TEST_P(ApiContract, WhatIsNotThereIsNotFound) {
  EXPECT_TRUE(api->get(r::kConfigMaps, key("none")).is(Errc::NotFound));
  EXPECT_TRUE(api->patch(r::kConfigMaps, key("none"), labels({{"a", "b"}})).is(Errc::NotFound));
  EXPECT_TRUE(api->remove(r::kConfigMaps, key("none"), {}).is(Errc::NotFound));
  EXPECT_TRUE(api->logs(key("none"), {}).is(Errc::NotFound));
  Json stray = configMap("a");
  stray["metadata"]["namespace"] = ns + "-none";
  EXPECT_TRUE(api->create(r::kConfigMaps, stray).is(Errc::NotFound));
}

TEST_P(ApiContract, ANameIsTakenOnlyOncePerKindAndNamespace) {
  makeConfigMap("a");
  EXPECT_TRUE(api->create(r::kConfigMaps, configMap("a")).is(Errc::AlreadyExists));
  make(r::kSecrets, {{"metadata", {{"name", "a"}, {"namespace", ns}}}});
}

TEST_P(ApiContract, BadNamesAreInvalid) {
  for (const std::string name : {"Upper", "under_score", "-a", "a/b", "a..b"}) {
    EXPECT_TRUE(api->create(r::kConfigMaps, configMap(name)).is(Errc::Invalid)) << name;
  }
  EXPECT_TRUE(api->create(r::kConfigMaps, configMap(std::string(254, 'a'))).is(Errc::Invalid));
  makeConfigMap(std::string(253, 'a'));
  EXPECT_TRUE(api->create(r::kConfigMaps, {{"metadata", {{"namespace", ns}}}}).is(Errc::Invalid));
}

TEST_P(ApiContract, GenerateNameMakesFreshNames) {
  std::set<std::string> names;
  for (int i = 0; i < 10; ++i) {
    const Json made = make(r::kConfigMaps, {{"metadata", {{"generateName", "gen-"}, {"namespace", ns}}}});
    EXPECT_THAT(text(made, "metadata", "name"), ::testing::MatchesRegex("gen-[a-z0-9]+"));
    names.insert(text(made, "metadata", "name"));
  }
  EXPECT_EQ(names.size(), 10u);
}

TEST_P(ApiContract, MergePatchChangesWhatItNamesAndNothingElse) {
  const Json before = makeConfigMap("a", {{"metadata", {{"labels", {{"keep", "1"}, {"drop", "2"}}}}}});
  const auto after =
      api->patch(r::kConfigMaps, key("a"),
                 {{"metadata", {{"labels", {{"drop", nullptr}, {"add", "3"}}}}}, {"data", {{"k2", "w"}}}});
  ASSERT_TRUE(after.ok()) << after.error().message;
  EXPECT_EQ(*find(*after, "metadata", "labels"), (Json{{"keep", "1"}, {"add", "3"}}));
  EXPECT_EQ(*find(*after, "data"), (Json{{"k", "v"}, {"k2", "w"}}));
  EXPECT_EQ(text(*after, "metadata", "uid"), text(before, "metadata", "uid"));
  EXPECT_NE(versionOf(*after), versionOf(before));
}

TEST_P(ApiContract, APatchThatChangesNothingWritesNothing) {
  const Json before = makeConfigMap("a");
  const auto after = api->patch(r::kConfigMaps, key("a"), {{"data", {{"k", "v"}}}});
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(versionOf(*after), versionOf(before));
}

TEST_P(ApiContract, AResourceVersionInThePatchIsALock) {
  const Json first = makeConfigMap("a");
  const auto second = api->patch(r::kConfigMaps, key("a"), lockedBy(first, {{"data", {{"n", "1"}}}}));
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_TRUE(api->patch(r::kConfigMaps, key("a"), lockedBy(first, {{"data", {{"n", "2"}}}})).is(Errc::Conflict));
  EXPECT_EQ(text(*api->get(r::kConfigMaps, key("a")), "data", "n"), "1");
  EXPECT_TRUE(api->patch(r::kConfigMaps, key("a"), lockedBy(*second, {{"data", {{"n", "3"}}}})).ok());
}

TEST_P(ApiContract, IdentityCannotBePatched) {
  const Json made = makeConfigMap("a");
  EXPECT_FALSE(api->patch(r::kConfigMaps, key("a"), {{"metadata", {{"uid", "other"}}}}).ok());
  EXPECT_FALSE(api->patch(r::kConfigMaps, key("a"), {{"metadata", {{"name", "b"}}}}).ok());
  const auto same =
      api->patch(r::kConfigMaps, key("a"), {{"metadata", {{"creationTimestamp", "2001-01-01T00:00:00Z"}}}});
  ASSERT_TRUE(same.ok()) << same.error().message;
  EXPECT_EQ(text(*same, "metadata", "creationTimestamp"), text(made, "metadata", "creationTimestamp"));
}

TEST_P(ApiContract, NoWriteIsLostUnderContention) {
  makeConfigMap("counter", {{"data", {{"n", "0"}}}});
  constexpr int kThreads = 4, kEach = 10;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      for (int done = 0; done < kEach;) {
        const auto seen = api->get(r::kConfigMaps, key("counter"));
        ASSERT_TRUE(seen.ok());
        const int n = std::stoi(text(*seen, "data", "n"));
        const auto written =
            api->patch(r::kConfigMaps, key("counter"), lockedBy(*seen, {{"data", {{"n", std::to_string(n + 1)}}}}));
        ASSERT_TRUE(written.ok() || written.is(Errc::Conflict)) << written.error().message;
        done += written.ok();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(text(*api->get(r::kConfigMaps, key("counter")), "data", "n"), std::to_string(kThreads * kEach));
}

TEST_P(ApiContract, StatusAndTheRestAreWrittenApart) {
  // A class that nobody provides, so that no controller touches the claim.
  const Json spec = {{"accessModes", {"ReadWriteOnce"}},
                     {"storageClassName", "godwit-contract-none"},
                     {"resources", {{"requests", {{"storage", "1Gi"}}}}}};
  make(r::kPersistentVolumeClaims, {{"metadata", {{"name", "a"}, {"namespace", ns}}}, {"spec", spec}});
  const Json both = {{"metadata", {{"labels", {{"by", "someone"}}}}}, {"status", {{"phase", "Lost"}}}};
  const auto main = api->patch(r::kPersistentVolumeClaims, key("a"), both);
  ASSERT_TRUE(main.ok()) << main.error().message;
  EXPECT_EQ(text(*main, "metadata", "labels", "by"), "someone");
  EXPECT_NE(text(*main, "status", "phase"), "Lost");
  const Json other = {{"spec", {{"volumeName", "sneaked-in"}}}, {"status", {{"phase", "Lost"}}}};
  const auto status = api->patch(r::kPersistentVolumeClaims, key("a"), other, Subresource::Status);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(text(*status, "status", "phase"), "Lost");
  EXPECT_EQ(text(*status, "spec", "volumeName"), "");
}

TEST_P(ApiContract, GenerationCountsChangesOfTheSpecOnly) {
  const Json pod = {{"restartPolicy", "Never"}, {"containers", {{{"name", "c"}, {"image", "none"}}}}};
  const Json made = make(r::kJobs, {{"metadata", {{"name", "a"}, {"namespace", ns}}},
                                    {"spec", {{"suspend", true}, {"template", {{"spec", pod}}}}}});
  const auto first = number(0, made, "metadata", "generation");
  EXPECT_EQ(first, 1);
  const auto labelled = api->patch(r::kJobs, key("a"), labels({{"x", "y"}}));
  ASSERT_TRUE(labelled.ok()) << labelled.error().message;
  EXPECT_EQ(number(0, *labelled, "metadata", "generation"), first);
  const auto changed = api->patch(r::kJobs, key("a"), {{"spec", {{"parallelism", 2}}}});
  ASSERT_TRUE(changed.ok()) << changed.error().message;
  EXPECT_EQ(number(0, *changed, "metadata", "generation"), first + 1);
}

}  // namespace godwit::contract
