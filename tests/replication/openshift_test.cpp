// Where a cluster has SecurityContextConstraints, a mover's account may use those that its pod needs.
#include "replication/mini_world.h"

namespace godwit::replication {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kName = "volsync-dst-d";

class OpenShift : public MiniWorld {
 protected:
  void SetUp() override { config.securityConstraints = "godwit-mover"; }
  void runDestination(const Json& rsync = Json::object()) {
    makeDestination(rsync, {{"trigger", {{"manual", "one"}}}});
    settle();
  }
  std::string usable() {
    const auto role = get(kinds::kRoles, kName);
    const Json* rules = find(role, "rules");
    return rules ? rules->dump() : "";
  }
};

TEST_F(OpenShift, ARoleIsBoundToTheMoversAccountAndGoesWithItsOwner) {
  runDestination();
  EXPECT_THAT(usable(), AllOf(HasSubstr("godwit-mover"), HasSubstr(R"("verbs":["use"])")));
  const auto binding = get(kinds::kRoleBindings, kName);
  EXPECT_EQ(text(binding, "roleRef", "name"), kName);
  EXPECT_EQ(text(find(binding, "subjects")->front(), "name"),
            text(get(kinds::kJobs, "volsync-rsync-dst-d"), "spec", "template", "spec", "serviceAccountName"));
  ASSERT_TRUE(store->remove(kinds::kReplicationDestinations, {"ns", "d"}, {}).ok());
  settle();
  EXPECT_THAT(names(kinds::kRoles), IsEmpty());
  EXPECT_THAT(names(kinds::kRoleBindings), IsEmpty());
}

TEST_F(OpenShift, WhatIsSoIsNotWrittenAgain) {
  runDestination();
  counted->requests.clear();
  start();
  settle();
  EXPECT_THAT(counted->requests, Not(Contains(AnyOf(HasSubstr("create role"), HasSubstr("patch role")))));
}

TEST_F(OpenShift, ARoleOfOtherConstraintsIsSetRight) {
  runDestination();
  config.securityConstraints = "mine";
  start();
  settle();
  EXPECT_THAT(usable(), HasSubstr(R"("resourceNames":["mine"])"));
}

TEST_F(OpenShift, ARoleThatSomebodyRemovesIsMadeAgain) {
  runDestination();
  ASSERT_TRUE(store->remove(kinds::kRoles, {"ns", kName}, {}).ok());
  settle();
  EXPECT_THAT(names(kinds::kRoles), ElementsAre(kName));
}

TEST_F(OpenShift, ARoleOfSomebodyElseIsAnError) {
  put(kinds::kRoles, {{"metadata", {{"name", kName}}}, {"rules", Json::array()}});
  runDestination();
  EXPECT_THAT(synchronizing(destination()), HasSubstr("Role volsync-dst-d is in the way"));
}

TEST_F(OpenShift, MoversWithoutPrivilegesAndAccountsOfUsersGetNone) {
  edit(kinds::kNamespaces, "ns", {{"metadata", {{"annotations", {{"volsync.backube/privileged-movers", "false"}}}}}});
  runDestination();
  EXPECT_FALSE(get(kinds::kJobs, "volsync-rsync-dst-d").is_null());
  EXPECT_THAT(names(kinds::kRoles), IsEmpty());
  edit(kinds::kNamespaces, "ns", {{"metadata", {{"annotations", nullptr}}}});
  ASSERT_TRUE(store->remove(kinds::kReplicationDestinations, {"ns", "d"}, {}).ok());
  settle();
  put(kinds::kServiceAccounts, {{"metadata", {{"name", "mine"}}}});
  runDestination({{"moverServiceAccount", "mine"}});
  EXPECT_FALSE(get(kinds::kJobs, "volsync-rsync-dst-d").is_null());
  EXPECT_THAT(names(kinds::kRoles), IsEmpty());
}

TEST_F(OpenShift, NothingOfItElsewhere) {
  config.securityConstraints.clear();
  runDestination();
  EXPECT_THAT(names(kinds::kRoles), IsEmpty());
}

}  // namespace
}  // namespace godwit::replication
