// --watch-namespaces: what may not be read in one namespace is the trouble of that one.
#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

using testing::HasSubstr;

class Namespaces : public MiniWorld {
 protected:
  void SetUp() override {
    config.namespaces = {"ns", "other"};
    put(kinds::kNamespaces, {{"metadata", {{"name", "other"}}}});
  }
  // The same source there: what startSource() made.
  void startThere() {
    for (const auto& [type, name] :
         {std::pair(&kinds::kPersistentVolumeClaims, "data"), std::pair(&kinds::kSecrets, "keys"),
          std::pair(&kinds::kReplicationSources, "s")}) {
      Json copy = get(*type, name);
      copy["metadata"] = {{"name", name}, {"namespace", "other"}};
      copy.erase("status");
      ASSERT_TRUE(store->create(*type, copy).ok());
    }
    ASSERT_TRUE(store
                    ->patch(kinds::kPersistentVolumeClaims, {"other", "data"},
                            {{"status", {{"phase", "Bound"}, {"capacity", {{"storage", "1Gi"}}}}}},
                            kube::Subresource::Status)
                    .ok());
    settle();
  }
  bool started(const std::string& ns) { return store->get(kinds::kJobs, {ns, "volsync-rsync-src-s"}).ok(); }
  std::string conditionThere() {
    return synchronizing(*api::replicationFromJson(*store->get(kinds::kReplicationSources, {"other", "s"})));
  }
};

// A namespace that was deleted took its Role along.
TEST_F(Namespaces, OneThatIsGoneDoesNotStopTheOthers) {
  for (const auto* type : kube::resources::all()) faulty->unreadable.insert({std::string(type->plural), "other"});
  startSource("Direct");
  EXPECT_TRUE(started("ns"));
  EXPECT_TRUE(controller->works());
  EXPECT_THAT(controller->waitingFor(), HasSubstr("in the namespace \"other\""));
}

TEST_F(Namespaces, WithoutAnyThatCanBeReadNothingWorks) {
  for (const auto* ns : {"ns", "other"}) faulty->unreadable.insert({"replicationsources", ns});
  startSource("Direct");
  EXPECT_FALSE(started("ns"));
  EXPECT_FALSE(controller->works());
  faulty->unreadable = {};
  advance(2s);
  EXPECT_TRUE(started("ns"));
  EXPECT_EQ(controller->waitingFor(), "");
}

TEST_F(Namespaces, AKindThatMayNotBeReadInOneIsAnErrorOnlyThere) {
  faulty->unreadable = {{"jobs", "other"}};
  startSource("Direct");
  startThere();
  EXPECT_TRUE(started("ns"));
  EXPECT_EQ(synchronizing(source()), "True SyncInProgress Synchronization in-progress");
  EXPECT_FALSE(started("other"));
  EXPECT_THAT(conditionThere(), testing::AllOf(HasSubstr("False Error"), HasSubstr("cannot list resource \"jobs\"")));
  faulty->unreadable = {};
  advance(2s);
  EXPECT_TRUE(started("other"));
}

// While the objects themselves are not all known nothing is said of them, and what can be said is said as soon as it
// can.
TEST_F(Namespaces, WhatWaitsForARightGoesOnByItself) {
  faulty->unreadable = {{"replicationdestinations", "other"}, {"pods", "other"}};
  startSource("Direct");
  startThere();
  EXPECT_EQ(conditionThere(), "absent");
  faulty->unreadable = {{"pods", "other"}};
  advance(2s);
  EXPECT_THAT(conditionThere(), HasSubstr("cannot list resource \"pods\""));
  faulty->unreadable = {};
  advance(2s);
  EXPECT_TRUE(started("other"));
}

}  // namespace
}  // namespace godwit::replication
