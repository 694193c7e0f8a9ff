#include "cli/manifests.h"

#include <gmock/gmock.h>

#include "base/fd.h"
#include "cli/testing.h"

namespace godwit::cli {
namespace {

using testing::HasSubstr;

Json configMap(Json data) {
  return {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "settings"}}}, {"data", std::move(data)}};
}

TEST(ApplyPatch, RemovesWhatOnlyTheLastOneSaid) {
  const Json before = {{"spec", {{"a", 1}, {"b", {{"c", 1}, {"d", 2}}}}}};
  const Json wanted = {{"spec", {{"b", {{"d", 3}}}}}};
  EXPECT_EQ(applyPatch(before, wanted), Json({{"spec", {{"a", nullptr}, {"b", {{"c", nullptr}, {"d", 3}}}}}}));
  EXPECT_EQ(applyPatch(Json(), wanted), wanted);
}

TEST(DisplayName, IsKubectls) {
  EXPECT_EQ(
      displayName(
          {{"apiVersion", "volsync.backube/v1alpha1"}, {"kind", "ReplicationSource"}, {"metadata", {{"name", "x"}}}}),
      "replicationsource.volsync.backube/x");
  EXPECT_EQ(displayName({{"apiVersion", "v1"}, {"kind", "Secret"}, {"metadata", {{"name", "x"}}}}), "secret/x");
}

class Apply : public ServerTest {};

TEST_F(Apply, CreatesThenKeepsThenConfigures) {
  auto outcome = applyManifest(api(), configMap({{"a", "1"}, {"b", "2"}}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(*outcome, Applied::Created);
  outcome = applyManifest(api(), configMap({{"a", "1"}, {"b", "2"}}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(*outcome, Applied::Unchanged);
  outcome = applyManifest(api(), configMap({{"a", "9"}}));
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(*outcome, Applied::Configured);
  const auto stored = api().get(kube::resources::kConfigMaps, {"default", "settings"});
  ASSERT_TRUE(stored);
  EXPECT_EQ((*stored)["data"], Json({{"a", "9"}}));
}

TEST_F(Apply, LeavesAloneWhatOthersSet) {
  ASSERT_TRUE(applyManifest(api(), configMap({{"a", "1"}})));
  ASSERT_TRUE(api().patch(kube::resources::kConfigMaps, {"default", "settings"}, {{"data", {{"theirs", "x"}}}}));
  ASSERT_TRUE(applyManifest(api(), configMap({{"a", "2"}})));
  const auto stored = api().get(kube::resources::kConfigMaps, {"default", "settings"});
  ASSERT_TRUE(stored);
  EXPECT_EQ((*stored)["data"], Json({{"a", "2"}, {"theirs", "x"}}));
}

TEST_F(Apply, RefusesWhatItDoesNotKnow) {
  const auto unknown =
      applyManifest(api(), {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"metadata", {{"name", "x"}}}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "no matches for kind \"Deployment\" in version \"apps/v1\"");
  EXPECT_FALSE(applyManifest(api(), {{"kind", "Secret"}}));
  const std::vector<std::pair<std::string, Json>> kWrong = {
      {"annotations", Json::array({"x"})}, {"annotations", "x"}, {"namespace", 7}};
  for (const auto& [key, wrong] : kWrong) {
    Json object = configMap({{"a", "1"}});
    object["metadata"][key] = wrong;
    const auto refused = applyManifest(api(), object);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("metadata." + key));
  }
  EXPECT_FALSE(applyManifest(api(), Json::array()));
  const auto nameless = applyManifest(api(), {{"apiVersion", "v1"}, {"kind", "ConfigMap"}});
  ASSERT_FALSE(nameless);
  EXPECT_THAT(nameless.error().message, HasSubstr("metadata.name"));
}

TEST(LoadManifests, OfADirectoryInTheOrderOfNames) {
  const TempDir temp;
  ASSERT_TRUE(writeFileAtomic(temp.path() / "20.yaml", "{kind: B}\n---\n{kind: C}\n"));
  ASSERT_TRUE(writeFileAtomic(temp.path() / "10.json", R"({"kind": "A"})"));
  ASSERT_TRUE(writeFileAtomic(temp.path() / "readme.txt", "not: [yaml"));
  const auto objects = loadManifests(temp.path());
  ASSERT_TRUE(objects) << objects.error().message;
  ASSERT_EQ(objects->size(), 3u);
  EXPECT_EQ(text((*objects)[0], "kind"), "A");
  EXPECT_EQ(text((*objects)[2], "kind"), "C");
}

TEST(LoadManifests, NamesTheFileThatIsWrong) {
  const TempDir temp;
  const auto empty = loadManifests(temp.path());
  ASSERT_FALSE(empty);
  EXPECT_THAT(empty.error().message, HasSubstr("no *.yaml"));
  const auto absent = loadManifests(temp.path() / "absent.yaml");
  ASSERT_TRUE(absent.is(Errc::NotFound));
  ASSERT_TRUE(writeFileAtomic(temp.path() / "broken.yaml", "a: [1\nb: }"));
  const auto broken = loadManifests(temp.path());
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, HasSubstr("broken.yaml"));
}

}  // namespace
}  // namespace godwit::cli
