// Deleting: preconditions, finalizers, owners, namespaces.
#include "contract/api_contract.h"

namespace godwit::contract {

namespace r = kube::resources;
using Propagation = kube::DeleteOptions::Propagation;

namespace {

Json ownedBy(Json references) {
  return {{"metadata", {{"ownerReferences", std::move(references)}}}};
}

}  // namespace

TEST_P(ApiContract, DeletionPreconditionsMustHold) {
  const Json first = makeConfigMap("a");
  const Json second = *api->patch(r::kConfigMaps, key("a"), {{"data", {{"k", "w"}}}});
  EXPECT_TRUE(
      api->remove(r::kConfigMaps, key("a"), {.uid = "00000000-0000-4000-8000-000000000000"}).is(Errc::Conflict));
  EXPECT_TRUE(api->remove(r::kConfigMaps, key("a"), {.resourceVersion = versionOf(first)}).is(Errc::Conflict));
  EXPECT_TRUE(api->get(r::kConfigMaps, key("a")).ok());
  EXPECT_TRUE(api->remove(r::kConfigMaps, key("a"),
                          {.uid = text(second, "metadata", "uid"), .resourceVersion = versionOf(second)})
                  .ok());
  EXPECT_TRUE(api->get(r::kConfigMaps, key("a")).is(Errc::NotFound));
}

TEST_P(ApiContract, AnObjectOfTheSameNameIsAnotherObject) {
  const Json first = makeConfigMap("a");
  ASSERT_TRUE(api->remove(r::kConfigMaps, key("a"), {}).ok());
  const Json second = makeConfigMap("a");
  EXPECT_NE(text(first, "metadata", "uid"), text(second, "metadata", "uid"));
  EXPECT_TRUE(api->remove(r::kConfigMaps, key("a"), {.uid = text(first, "metadata", "uid")}).is(Errc::Conflict));
}

TEST_P(ApiContract, AFinalizerHoldsAnObjectUntilItIsTakenAway) {
  makeConfigMap("a", finalizers({"godwit.test/one", "godwit.test/two"}));
  const auto watch = watchFrom(currentVersion());
  ASSERT_NE(watch, nullptr);
  ASSERT_TRUE(api->remove(r::kConfigMaps, key("a"), {}).ok());
  const auto held = api->get(r::kConfigMaps, key("a"));
  ASSERT_TRUE(held.ok());
  EXPECT_NE(text(*held, "metadata", "deletionTimestamp"), "");
  EXPECT_TRUE(api->remove(r::kConfigMaps, key("a"), {}).ok());
  EXPECT_TRUE(api->create(r::kConfigMaps, configMap("a")).is(Errc::AlreadyExists));
  EXPECT_TRUE(
      api->patch(r::kConfigMaps, key("a"), finalizers({"godwit.test/one", "godwit.test/late"})).is(Errc::Invalid));
  ASSERT_TRUE(api->patch(r::kConfigMaps, key("a"), finalizers({"godwit.test/two"})).ok());
  EXPECT_TRUE(api->get(r::kConfigMaps, key("a")).ok());
  ASSERT_TRUE(api->patch(r::kConfigMaps, key("a"), finalizers(nullptr)).ok());
  EXPECT_TRUE(api->get(r::kConfigMaps, key("a")).is(Errc::NotFound));
  EXPECT_EQ(nextText(*watch), "Modified a");
  EXPECT_EQ(nextText(*watch), "Modified a");
  EXPECT_EQ(nextText(*watch), "Deleted a");
}

TEST_P(ApiContract, ChildrenFollowTheirOwnerInTheBackground) {
  const Json owner = makeConfigMap("owner");
  const Json child = makeConfigMap("child", ownedBy({ownerReference(owner)}));
  make(r::kSecrets,
       {{"metadata", {{"name", "grandchild"}, {"namespace", ns}, {"ownerReferences", {ownerReference(child)}}}}});
  ASSERT_TRUE(api->remove(r::kConfigMaps, key("owner"), {.propagation = Propagation::Background}).ok());
  EXPECT_TRUE(api->get(r::kConfigMaps, key("owner")).is(Errc::NotFound));
  EXPECT_TRUE(awaitEnd(r::kConfigMaps, "child"));
  EXPECT_TRUE(awaitEnd(r::kSecrets, "grandchild"));
}

TEST_P(ApiContract, AChildWithAnotherLivingOwnerStays) {
  const Json one = makeConfigMap("one"), two = makeConfigMap("two");
  makeConfigMap("shared", ownedBy({ownerReference(one), ownerReference(two)}));
  makeConfigMap("only", ownedBy({ownerReference(one)}));
  ASSERT_TRUE(api->remove(r::kConfigMaps, key("one"), {}).ok());
  ASSERT_TRUE(awaitEnd(r::kConfigMaps, "only"));
  EXPECT_TRUE(api->get(r::kConfigMaps, key("shared")).ok());
  ASSERT_TRUE(api->remove(r::kConfigMaps, key("two"), {}).ok());
  EXPECT_TRUE(awaitEnd(r::kConfigMaps, "shared"));
}

TEST_P(ApiContract, AnOwnerThatNeverWasIsADeadOwner) {
  Json owner = makeConfigMap("owner");
  owner["metadata"]["uid"] = "00000000-0000-4000-8000-000000000000";
  makeConfigMap("child", ownedBy({ownerReference(owner)}));
  EXPECT_TRUE(awaitEnd(r::kConfigMaps, "child"));
  EXPECT_TRUE(api->get(r::kConfigMaps, key("owner")).ok());
}

TEST_P(ApiContract, OrphansLoseTheirReferenceAndLive) {
  const Json owner = makeConfigMap("owner");
  makeConfigMap("child", ownedBy({ownerReference(owner)}));
  ASSERT_TRUE(api->remove(r::kConfigMaps, key("owner"), {.propagation = Propagation::Orphan}).ok());
  ASSERT_TRUE(awaitEnd(r::kConfigMaps, "owner"));
  const auto child = api->get(r::kConfigMaps, key("child"));
  ASSERT_TRUE(child.ok());
  const Json* references = find(*child, "metadata", "ownerReferences");
  EXPECT_TRUE(references == nullptr || references->empty());
}

TEST_P(ApiContract, InTheForegroundTheOwnerGoesLast) {
  const Json owner = makeConfigMap("owner");
  Json held = ownedBy({ownerReference(owner, true)});
  mergePatch(held, finalizers({"godwit.test/hold"}));
  makeConfigMap("child", held);
  ASSERT_TRUE(api->remove(r::kConfigMaps, key("owner"), {.propagation = Propagation::Foreground}).ok());
  subject->settle();
  const auto waiting = api->get(r::kConfigMaps, key("owner"));
  ASSERT_TRUE(waiting.ok());
  EXPECT_NE(text(*waiting, "metadata", "deletionTimestamp"), "");
  const auto watch = watchFrom("");
  ASSERT_NE(watch, nullptr);
  for (;;) {  // until the collector has asked the child to go
    const auto event = nextEvent(*watch);
    if (event.type == kube::WatchEvent::Type::Bookmark) break;
    if (text(event.object, "metadata", "name") == "child" &&
        !text(event.object, "metadata", "deletionTimestamp").empty())
      break;
  }
  EXPECT_TRUE(api->get(r::kConfigMaps, key("owner")).ok());
  ASSERT_TRUE(api->patch(r::kConfigMaps, key("child"), finalizers(nullptr)).ok());
  EXPECT_TRUE(awaitEnd(r::kConfigMaps, "child"));
  EXPECT_TRUE(awaitEnd(r::kConfigMaps, "owner"));
}

TEST_P(ApiContract, ADeletedNamespaceTakesItsObjectsAlongAndAcceptsNoNewOnes) {
  makeConfigMap("a", finalizers({"godwit.test/hold"}));
  makeConfigMap("b");
  ASSERT_TRUE(api->remove(r::kNamespaces, {"", ns}, {}).ok());
  EXPECT_TRUE(api->create(r::kConfigMaps, configMap("late")).is(Errc::Forbidden));
  EXPECT_TRUE(awaitEnd(r::kConfigMaps, "b"));
  EXPECT_TRUE(api->get(r::kNamespaces, {"", ns}).ok());
  ASSERT_TRUE(api->patch(r::kConfigMaps, key("a"), finalizers(nullptr)).ok());
  EXPECT_TRUE(awaitEnd(r::kNamespaces, ns));
  ns.clear();
}

}  // namespace godwit::contract
