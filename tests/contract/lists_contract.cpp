// Lists: selectors and pages.
#include <set>

#include "contract/api_contract.h"

namespace godwit::contract {

namespace r = kube::resources;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

static std::vector<std::string> names(const Result<kube::List>& list) {
  EXPECT_TRUE(list.ok()) << (list.ok() ? "" : list.error().message);
  std::vector<std::string> out;
  if (!list) return out;
  for (const auto& item : list->items) {
    const auto name = text(item, "metadata", "name");
    if (name != "kube-root-ca.crt") out.push_back(name);  // a real cluster publishes its CA in every namespace
  }
  return out;
}

TEST_P(ApiContract, ListsComeInOrderOfNameWithKindAndVersion) {
  makeConfigMap("b");
  makeConfigMap("a");
  const auto list = api->list(r::kConfigMaps, {.ns = ns});
  EXPECT_THAT(names(list), ElementsAre("a", "b"));
  ASSERT_TRUE(list.ok());
  EXPECT_NE(list->resourceVersion, "");
  EXPECT_EQ(list->continueToken, "");
  for (const auto& item : list->items) {
    EXPECT_EQ(text(item, "apiVersion"), "v1");
    EXPECT_EQ(text(item, "kind"), "ConfigMap");
  }
}

TEST_P(ApiContract, ListsAreOfOneNamespaceOrOfAll) {
  const Json unique = labels({{"godwit-contract", ns}});
  makeConfigMap("a", unique);
  EXPECT_THAT(names(api->list(r::kConfigMaps, {.ns = ns + "-none"})), IsEmpty());
  EXPECT_THAT(names(api->list(r::kConfigMaps, {.labelSelector = "godwit-contract=" + ns})), ElementsAre("a"));
}

TEST_P(ApiContract, LabelSelectors) {
  makeConfigMap("one", labels({{"n", "1"}, {"odd", ""}}));
  makeConfigMap("two", labels({{"n", "2"}}));
  makeConfigMap("none");
  const auto select = [this](const std::string& selector) {
    return names(api->list(r::kConfigMaps, {.ns = ns, .labelSelector = selector}));
  };
  EXPECT_THAT(select("n=1"), ElementsAre("one"));
  EXPECT_THAT(select("n==1"), ElementsAre("one"));
  EXPECT_THAT(select("n!=1"), ElementsAre("none", "two"));
  EXPECT_THAT(select("n"), ElementsAre("one", "two"));
  EXPECT_THAT(select("!n"), ElementsAre("none"));
  EXPECT_THAT(select("n in (1, 2),!odd"), ElementsAre("two"));
  EXPECT_THAT(select("n notin (1)"), ElementsAre("none", "two"));
  EXPECT_THAT(select("odd="), ElementsAre("one"));
  EXPECT_TRUE(api->list(r::kConfigMaps, {.ns = ns, .labelSelector = "a in (b"}).is(Errc::Invalid));
}

TEST_P(ApiContract, FieldSelectors) {
  makeConfigMap("a");
  makeConfigMap("b");
  const auto select = [this](const std::string& selector) {
    return api->list(r::kConfigMaps, {.ns = ns, .fieldSelector = selector});
  };
  EXPECT_THAT(names(select("metadata.name=a")), ElementsAre("a"));
  EXPECT_THAT(names(select("metadata.name!=a")), ElementsAre("b"));
  EXPECT_THAT(names(select("metadata.namespace=" + ns + ",metadata.name=b")), ElementsAre("b"));
  EXPECT_TRUE(select("data.k=v").is(Errc::Invalid));
}

TEST_P(ApiContract, PagesShowEverythingOnceAsOfOneMoment) {
  const Json mine = labels({{"page", "yes"}});
  for (const char* name : {"a", "b", "c", "d", "e"}) makeConfigMap(name, mine);
  kube::ListOptions options{.ns = ns, .labelSelector = "page=yes", .limit = 2};
  std::vector<std::string> seen;
  std::set<std::string> versions;
  do {
    const auto page = api->list(r::kConfigMaps, options);
    ASSERT_TRUE(page.ok()) << page.error().message;
    EXPECT_LE(page->items.size(), 2u);
    for (const auto& name : names(page)) seen.push_back(name);
    versions.insert(page->resourceVersion);
    options.continueToken = page->continueToken;
  } while (!options.continueToken.empty());
  EXPECT_THAT(seen, ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_EQ(versions.size(), 1u);
}

TEST_P(ApiContract, AListThatMayLagShowsTheSameBeforeLong) {
  makeConfigMap("a", labels({{"lag", "yes"}}));
  const auto watch = watchFrom("", "lag=yes");
  ASSERT_NE(watch, nullptr);
  EXPECT_EQ(nextText(*watch), "Added a");  // what a watch has told such a list knows too
  EXPECT_THAT(names(api->list(r::kConfigMaps, {.ns = ns, .labelSelector = "lag=yes", .mayLag = true})),
              ElementsAre("a"));
}

TEST_P(ApiContract, AContinueTokenThatMakesNoSenseIsRefused) {
  const auto page = api->list(r::kConfigMaps, {.ns = ns, .limit = 1, .continueToken = "nonsense"});
  EXPECT_TRUE(page.is(Errc::Invalid) || page.is(Errc::Gone));
}

}  // namespace godwit::contract
