#include "standalone/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace godwit::standalone {
namespace {

namespace r = kube::resources;
using kube::WatchEvent;
using std::chrono::milliseconds;

class StoreTest : public testing::Test {
 protected:
  void SetUp() override { open({}); }
  void open(StoreOptions options) {
    store.reset();
    auto opened = Store::open(options, clock, random);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store = std::move(*opened);
  }
  Json secret(const std::string& name, Json extra = Json::object()) {
    Json out{{"metadata", {{"name", name}, {"namespace", "default"}}}};
    out.merge_patch(extra);
    return out;
  }
  Json make(const kube::ResourceType& type, Json object) {
    auto made = store->create(type, object);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? *made : Json();
  }
  static Json ownedBy(const Json& owner, bool block = false) {
    return {{"metadata",
             {{"ownerReferences",
               {{{"apiVersion", owner["apiVersion"]},
                 {"kind", owner["kind"]},
                 {"name", owner["metadata"]["name"]},
                 {"uid", owner["metadata"]["uid"]},
                 {"blockOwnerDeletion", block}}}}}}};
  }
  void collect() {
    for (int i = 0; i < 20 && store->collectGarbage(); ++i) {
    }
  }
  kube::NamespacedName key(const std::string& name) { return {"default", name}; }

  ManualClock clock{TimePoint(std::chrono::seconds(1700000000))};
  Random random{7};
  std::unique_ptr<Store> store;
};

TEST_F(StoreTest, CreateSetsWhatTheServerSets) {
  const auto made = make(r::kSecrets, secret("a", {{"metadata", {{"uid", "mine"}, {"selfLink", "x"}}}}));
  EXPECT_EQ(text(made, "kind"), "Secret");
  EXPECT_EQ(text(made, "apiVersion"), "v1");
  EXPECT_EQ(text(made, "metadata", "creationTimestamp"), "2023-11-14T22:13:20Z");
  EXPECT_NE(text(made, "metadata", "uid"), "mine");
  EXPECT_EQ(text(made, "metadata", "resourceVersion"), store->resourceVersion());
  EXPECT_TRUE(store->create(r::kSecrets, secret("a")).is(Errc::AlreadyExists));
  EXPECT_EQ(*store->get(r::kSecrets, key("a")), made);
}

TEST_F(StoreTest, CreateRefusesWhatAnApiServerRefuses) {
  EXPECT_TRUE(store->create(r::kSecrets, Json(3)).is(Errc::Invalid));
  EXPECT_TRUE(store->create(r::kSecrets, secret("")).is(Errc::Invalid));
  EXPECT_TRUE(store->create(r::kSecrets, secret("Upper")).is(Errc::Invalid));
  EXPECT_TRUE(store->create(r::kSecrets, secret(std::string(254, 'a'))).is(Errc::Invalid));
  EXPECT_TRUE(store->create(r::kSecrets, secret(std::string(253, 'a'))).ok());
  EXPECT_TRUE(store->create(r::kServices, secret("1digit")).is(Errc::Invalid));
  EXPECT_TRUE(store->create(r::kSecrets, secret("a", {{"kind", "Pod"}})).is(Errc::Invalid));
  EXPECT_TRUE(store->create(r::kSecrets, secret("a", {{"metadata", {{"resourceVersion", "3"}}}})).is(Errc::Invalid));
  EXPECT_TRUE(store->create(r::kSecrets, secret("a", {{"metadata", {{"namespace", "absent"}}}})).is(Errc::NotFound));
  EXPECT_TRUE(store->create(r::kSecrets, secret("a", {{"metadata", {{"labels", {{"a b", "c"}}}}}})).is(Errc::Invalid));
  EXPECT_TRUE(store->create(r::kSecrets, secret("a", {{"metadata", {{"labels", {{"a", 3}}}}}})).is(Errc::Invalid));
  EXPECT_TRUE(store->create(r::kSecrets, secret("a", {{"metadata", {{"ownerReferences", {{{"kind", "Pod"}}}}}}}))
                  .is(Errc::Invalid));
  const kube::ResourceType odd{"x", "v1", "odds", "Odd"};
  EXPECT_TRUE(store->create(odd, secret("a")).is(Errc::NotFound));
}

TEST_F(StoreTest, GenerateNameFindsAFreeName) {
  const Json object{{"metadata", {{"generateName", "p-"}, {"namespace", "default"}}}};
  const auto a = make(r::kPods, object), b = make(r::kPods, object);
  EXPECT_TRUE(text(a, "metadata", "name").starts_with("p-"));
  EXPECT_NE(text(a, "metadata", "name"), text(b, "metadata", "name"));
}

TEST_F(StoreTest, StatusAndSpecAreWrittenApart) {
  const auto made = make(r::kJobs, secret("j", {{"spec", {{"parallelism", 1}}}, {"status", {{"active", 9}}}}));
  EXPECT_FALSE(find(made, "status", "active"));
  const auto spec = store->patch(r::kJobs, key("j"), {{"spec", {{"parallelism", 0}}}, {"status", {{"active", 9}}}});
  ASSERT_TRUE(spec.ok());
  EXPECT_FALSE(find(*spec, "status", "active"));
  EXPECT_EQ(number(0, *spec, "metadata", "generation"), 2);
  const auto status = store->patch(r::kJobs, key("j"), {{"spec", {{"parallelism", 7}}}, {"status", {{"active", 9}}}},
                                   kube::Subresource::Status);
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(number(0, *status, "status", "active"), 9);
  EXPECT_EQ(number(9, *status, "spec", "parallelism"), 0);
  EXPECT_EQ(number(0, *status, "metadata", "generation"), 2);
  make(r::kSecrets, secret("s"));
  EXPECT_TRUE(store->patch(r::kSecrets, key("s"), {{"status", 1}}, kube::Subresource::Status).is(Errc::NotFound));
}

TEST_F(StoreTest, OptimisticConcurrency) {
  const auto made = make(r::kSecrets, secret("a"));
  const Json lock{{"metadata", {{"resourceVersion", made["metadata"]["resourceVersion"]}}}, {"type", "x"}};
  EXPECT_TRUE(store->patch(r::kSecrets, key("a"), lock).ok());
  EXPECT_TRUE(store->patch(r::kSecrets, key("a"), lock).is(Errc::Conflict));
  EXPECT_TRUE(store->patch(r::kSecrets, key("b"), lock).is(Errc::NotFound));
  EXPECT_TRUE(store->patch(r::kSecrets, key("a"), {{"metadata", {{"uid", "other"}}}}).is(Errc::Conflict));
  EXPECT_TRUE(store->patch(r::kSecrets, key("a"), {{"metadata", {{"name", "b"}}}}).is(Errc::Invalid));
}

TEST_F(StoreTest, ANoOpWriteChangesNothing) {
  make(r::kSecrets, secret("a", {{"type", "x"}}));
  const auto before = store->resourceVersion();
  EXPECT_TRUE(store->patch(r::kSecrets, key("a"), {{"type", "x"}}).ok());
  EXPECT_EQ(store->resourceVersion(), before);
}

TEST_F(StoreTest, DryRunsAnswerButWriteNothing) {
  const auto before = store->resourceVersion();
  EXPECT_TRUE(store->create(r::kSecrets, secret("a"), Store::Commit::DryRun).ok());
  EXPECT_TRUE(store->get(r::kSecrets, key("a")).is(Errc::NotFound));
  EXPECT_EQ(store->resourceVersion(), before);
}

TEST_F(StoreTest, DeletePreconditions) {
  const auto made = make(r::kSecrets, secret("a"));
  EXPECT_TRUE(store->remove(r::kSecrets, key("a"), {"other", {}, {}, {}}).is(Errc::Conflict));
  EXPECT_TRUE(store->remove(r::kSecrets, key("a"), {{}, "1", {}, {}}).is(Errc::Conflict));
  EXPECT_TRUE(
      store->remove(r::kSecrets, key("a"), {text(made, "metadata", "uid"), store->resourceVersion(), {}, {}}).ok());
  EXPECT_TRUE(store->remove(r::kSecrets, key("a"), {}).is(Errc::NotFound));
}

TEST_F(StoreTest, FinalizersHoldADeletingObject) {
  make(r::kSecrets, secret("a", {{"metadata", {{"finalizers", {"x.y/z"}}}}}));
  ASSERT_TRUE(store->remove(r::kSecrets, key("a"), {}).ok());
  EXPECT_NE(text(*store->get(r::kSecrets, key("a")), "metadata", "deletionTimestamp"), "");
  EXPECT_TRUE(
      store->patch(r::kSecrets, key("a"), {{"metadata", {{"finalizers", {"x.y/z", "new/one"}}}}}).is(Errc::Invalid));
  ASSERT_TRUE(store->patch(r::kSecrets, key("a"), {{"metadata", {{"finalizers", nullptr}}}}).ok());
  EXPECT_TRUE(store->get(r::kSecrets, key("a")).is(Errc::NotFound));
}

TEST_F(StoreTest, ARunningPodIsLeftToItsNode) {
  make(r::kPods, secret("p", {{"spec", {{"nodeName", "n"}, {"terminationGracePeriodSeconds", 5}}}}));
  ASSERT_TRUE(store->remove(r::kPods, key("p"), {}).ok());
  const auto marked = store->get(r::kPods, key("p"));
  ASSERT_TRUE(marked.ok());
  EXPECT_EQ(text(*marked, "metadata", "deletionTimestamp"), "2023-11-14T22:13:25Z");
  EXPECT_EQ(number(0, *marked, "metadata", "deletionGracePeriodSeconds"), 5);
  ASSERT_TRUE(store->remove(r::kPods, key("p"), {{}, {}, {}, 0}).ok());
  EXPECT_TRUE(store->get(r::kPods, key("p")).is(Errc::NotFound));
}

TEST_F(StoreTest, DependentsFollowTheirOwner) {
  const auto owner = make(r::kConfigMaps, secret("owner"));
  make(r::kSecrets, secret("child", ownedBy(owner)));
  collect();
  EXPECT_TRUE(store->get(r::kSecrets, key("child")).ok());
  ASSERT_TRUE(store->remove(r::kConfigMaps, key("owner"), {}).ok());
  collect();
  EXPECT_TRUE(store->get(r::kSecrets, key("child")).is(Errc::NotFound));
  make(r::kSecrets, secret("late", ownedBy(owner)));  // created by someone who had not seen the deletion
  collect();
  EXPECT_TRUE(store->get(r::kSecrets, key("late")).is(Errc::NotFound));
}

TEST_F(StoreTest, ForegroundWaitsForDependents) {
  const auto owner = make(r::kConfigMaps, secret("owner"));
  Json child = secret("child", ownedBy(owner, true));
  child["metadata"]["finalizers"] = {"hold/it"};
  make(r::kSecrets, child);
  ASSERT_TRUE(
      store->remove(r::kConfigMaps, key("owner"), {{}, {}, kube::DeleteOptions::Propagation::Foreground, {}}).ok());
  collect();
  EXPECT_TRUE(store->get(r::kConfigMaps, key("owner")).ok());
  ASSERT_TRUE(store->patch(r::kSecrets, key("child"), {{"metadata", {{"finalizers", nullptr}}}}).ok());
  collect();
  EXPECT_TRUE(store->get(r::kSecrets, key("child")).is(Errc::NotFound));
  EXPECT_TRUE(store->get(r::kConfigMaps, key("owner")).is(Errc::NotFound));
}

// A round that began between a write's announcement and the write itself would miss it for ever.
TEST_F(StoreTest, TheCollectorThreadMissesNothing) {
  std::jthread collector([&](std::stop_token stop) { store->collectGarbageUntil(stop); });
  for (int i = 0; i < 300; ++i) {
    const auto name = "o" + std::to_string(i);
    make(r::kConfigMaps, secret(name));
    auto watch = store->watch(r::kConfigMaps, {"", "", "metadata.name=" + name, store->resourceVersion(), false});
    ASSERT_TRUE(watch.ok());
    ASSERT_TRUE(
        store->remove(r::kConfigMaps, key(name), {{}, {}, kube::DeleteOptions::Propagation::Foreground, {}}).ok());
    for (bool gone = false; !gone;) {
      const auto event = (*watch)->next(milliseconds(20000));
      ASSERT_TRUE(event.ok() && event->has_value()) << name << " was never collected";
      gone = (*event)->type == WatchEvent::Type::Deleted;
    }
  }
}

TEST_F(StoreTest, OrphansStayWithoutOwner) {
  const auto owner = make(r::kConfigMaps, secret("owner"));
  make(r::kSecrets, secret("child", ownedBy(owner)));
  ASSERT_TRUE(store->remove(r::kConfigMaps, key("owner"), {{}, {}, kube::DeleteOptions::Propagation::Orphan, {}}).ok());
  collect();
  EXPECT_TRUE(store->get(r::kConfigMaps, key("owner")).is(Errc::NotFound));
  EXPECT_FALSE(find(*store->get(r::kSecrets, key("child")), "metadata", "ownerReferences"));
}

TEST_F(StoreTest, ADeletedNamespaceEmptiesItself) {
  make(r::kNamespaces, {{"metadata", {{"name", "n"}}}});
  make(r::kSecrets, secret("a", {{"metadata", {{"namespace", "n"}}}}));
  ASSERT_TRUE(store->remove(r::kNamespaces, {"", "n"}, {}).ok());
  EXPECT_TRUE(store->create(r::kSecrets, secret("b", {{"metadata", {{"namespace", "n"}}}})).is(Errc::Forbidden));
  collect();
  EXPECT_TRUE(store->get(r::kSecrets, {"n", "a"}).is(Errc::NotFound));
  EXPECT_TRUE(store->get(r::kNamespaces, {"", "n"}).is(Errc::NotFound));
  EXPECT_TRUE(store->remove(r::kNamespaces, {"", "default"}, {}).is(Errc::Forbidden));
}

TEST_F(StoreTest, TheDefinitionOfAKindThatIsServedStays) {
  make(r::kCustomResourceDefinitions,
       {{"metadata", {{"name", "things.example.com"}}}, {"spec", {{"group", "example.com"}}}});
  const auto refused = store->remove(r::kCustomResourceDefinitions, {"", "things.example.com"}, {});
  EXPECT_TRUE(refused.is(Errc::Forbidden));
  EXPECT_TRUE(store->get(r::kCustomResourceDefinitions, {"", "things.example.com"}).ok());
}

TEST_F(StoreTest, OldEventsGo) {
  make(r::kEvents, secret("e", {{"lastTimestamp", "2023-11-14T22:13:20Z"}}));
  clock.advance(std::chrono::minutes(61));
  make(
      r::kConfigMaps,
      secret("kick", ownedBy({{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", "x"}, {"uid", "gone"}}}})));
  collect();
  EXPECT_TRUE(store->get(r::kEvents, key("e")).is(Errc::NotFound));
}

TEST_F(StoreTest, ListsInPages) {
  for (const char* name : {"a", "b", "c", "d", "e"}) make(r::kSecrets, secret(name));
  kube::ListOptions options;
  options.ns = "default";
  options.limit = 2;
  std::string names;
  for (int page = 0; page < 3; ++page) {
    const auto list = store->list(r::kSecrets, options);
    ASSERT_TRUE(list.ok());
    for (const auto& item : list->items) names += text(item, "metadata", "name");
    options.continueToken = list->continueToken;
  }
  EXPECT_EQ(names, "abcde");
  EXPECT_EQ(options.continueToken, "");
  options.continueToken = "rubbish";
  EXPECT_TRUE(store->list(r::kSecrets, options).is(Errc::Invalid));
}

TEST_F(StoreTest, ListsBySelector) {
  make(r::kPods, secret("a", {{"metadata", {{"labels", {{"x", "1"}}}}}, {"spec", {{"nodeName", "n"}}}}));
  make(r::kPods, secret("b", {{"metadata", {{"labels", {{"x", "2"}}}}}}));
  const auto count = [&](const char* labels, const char* fields) {
    const auto list = store->list(r::kPods, {"", labels, fields, 0, ""});
    return list.ok() ? static_cast<int>(list->items.size()) : -1;
  };
  EXPECT_EQ(count("x=1", ""), 1);
  EXPECT_EQ(count("x in (1,2)", ""), 2);
  EXPECT_EQ(count("x notin (1),x", ""), 1);
  EXPECT_EQ(count("!x", ""), 0);
  EXPECT_EQ(count("x>1", ""), 1);
  EXPECT_EQ(count("x!=2", ""), 1);
  EXPECT_EQ(count("", "spec.nodeName=n"), 1);
  EXPECT_EQ(count("", "status.phase!=Running,metadata.name=b"), 1);
  EXPECT_EQ(count("x in 1", ""), -1);
  EXPECT_EQ(count("", "spec.volumes=1"), -1);
}

TEST_F(StoreTest, WatchReplaysFromAVersionThenWaits) {
  make(r::kSecrets, secret("a"));
  const auto from = store->resourceVersion();
  make(r::kConfigMaps, secret("other"));
  ASSERT_TRUE(store->patch(r::kSecrets, key("a"), {{"type", "x"}}).ok());
  ASSERT_TRUE(store->remove(r::kSecrets, key("a"), {}).ok());
  auto watch = store->watch(r::kSecrets, {"default", "", "", from, true});
  ASSERT_TRUE(watch.ok());
  EXPECT_EQ((**(*watch)->next(milliseconds(0))).type, WatchEvent::Type::Modified);
  const auto gone = (*watch)->next(milliseconds(0));
  EXPECT_EQ((**gone).type, WatchEvent::Type::Deleted);
  EXPECT_EQ(text((**gone).object, "metadata", "resourceVersion"), store->resourceVersion());
  EXPECT_FALSE((*watch)->next(milliseconds(0))->has_value());
  std::thread writer([&] { make(r::kSecrets, secret("b")); });
  const auto event = (*watch)->next(milliseconds(20000));
  writer.join();
  EXPECT_EQ(text((**event).object, "metadata", "name"), "b");
}

TEST_F(StoreTest, WatchSeesObjectsEnterAndLeaveItsSelector) {
  auto watch = store->watch(r::kSecrets, {"", "x=1", "", "", true});
  ASSERT_TRUE(watch.ok());
  make(r::kSecrets, secret("a"));
  ASSERT_TRUE(store->patch(r::kSecrets, key("a"), {{"metadata", {{"labels", {{"x", "1"}}}}}}).ok());
  ASSERT_TRUE(store->patch(r::kSecrets, key("a"), {{"metadata", {{"labels", {{"x", "2"}}}}}}).ok());
  EXPECT_EQ((**(*watch)->next(milliseconds(0))).type, WatchEvent::Type::Added);
  EXPECT_EQ((**(*watch)->next(milliseconds(0))).type, WatchEvent::Type::Deleted);
}

TEST_F(StoreTest, WatchBeginsWithWhatExists) {
  make(r::kSecrets, secret("a"));
  auto watch = store->watch(r::kSecrets, {});
  EXPECT_EQ((**(*watch)->next(milliseconds(0))).type, WatchEvent::Type::Added);
  EXPECT_FALSE((*watch)->next(milliseconds(0))->has_value());
}

TEST_F(StoreTest, AForgottenPastIsGone) {
  open({.historyLimit = 3});
  const auto from = store->resourceVersion();
  auto slow = store->watch(r::kSecrets, {"", "", "", from, true});
  for (const char* name : {"a", "b", "c", "d"}) make(r::kSecrets, secret(name));
  EXPECT_TRUE((*slow)->next(milliseconds(0)).is(Errc::Gone));
  EXPECT_TRUE(store->watch(r::kSecrets, {"", "", "", from, true}).is(Errc::Gone));
  EXPECT_TRUE(store->watch(r::kSecrets, {"", "", "", "999999", true}).is(Errc::Gone));
  EXPECT_TRUE(store->watch(r::kSecrets, {"", "", "", "x", true}).is(Errc::Invalid));
}

TEST_F(StoreTest, CancelAndCloseWakeAWatch) {
  auto watch = store->watch(r::kSecrets, {});
  std::thread canceller([&] { (*watch)->cancel(); });
  EXPECT_TRUE((*watch)->next(milliseconds(20000)).is(Errc::Cancelled));
  canceller.join();
  auto other = store->watch(r::kSecrets, {});
  std::thread closer([&] { store.reset(); });
  EXPECT_TRUE((*other)->next(milliseconds(20000)).is(Errc::Unavailable));
  closer.join();
}

TEST_F(StoreTest, AdmissionDefaultsAndRefuses) {
  store->addAdmission([](const kube::ResourceType& type, const Json* before, Json& after) -> Result<void> {
    if (type.kind != "Secret") return {};
    if (text(after, "type") == "bad") return Error{Errc::Invalid, "type: bad"};
    if (!before) after["type"] = "Opaque";
    return {};
  });
  EXPECT_EQ(text(make(r::kSecrets, secret("a")), "type"), "Opaque");
  EXPECT_TRUE(store->patch(r::kSecrets, key("a"), {{"type", "bad"}}).is(Errc::Invalid));
  EXPECT_EQ(text(*store->get(r::kSecrets, key("a")), "type"), "Opaque");
}

TEST_F(StoreTest, LogsComeFromTheNode) {
  EXPECT_TRUE(store->logs(key("p"), {}).is(Errc::NotFound));
  make(r::kPods, secret("p", {{"spec", {{"containers", {{{"name", "c"}}}}}}}));
  EXPECT_TRUE(store->logs(key("p"), {}).is(Errc::Unavailable));
  store->setLogSource([](const auto& pod, const auto&) { return Result<std::string>("log of " + pod.name); });
  EXPECT_EQ(*store->logs(key("p"), {"c", {}, {}}), "log of p");
  EXPECT_TRUE(store->logs(key("p"), {"d", {}, {}}).is(Errc::Invalid));
}

}  // namespace
}  // namespace godwit::standalone
