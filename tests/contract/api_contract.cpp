#include "contract/api_contract.h"

namespace godwit::contract {

namespace r = kube::resources;
using std::chrono::milliseconds;

namespace {

constexpr auto kPatience = std::chrono::seconds(60);

const char* word(kube::WatchEvent::Type type) {
  static constexpr const char* kWords[] = {"Added", "Modified", "Deleted", "Bookmark"};
  return kWords[static_cast<int>(type)];
}

}  // namespace

void ApiContract::SetUp() {
  subject = GetParam().make();
  ASSERT_NE(subject, nullptr);
  api = &subject->api();
  const auto made = api->create(r::kNamespaces, {{"metadata", {{"generateName", "godwit-contract-"}}}});
  ASSERT_TRUE(made.ok()) << made.error().message;
  ns = text(*made, "metadata", "name");
}

void ApiContract::TearDown() {
  if (ns.empty()) return;
  EXPECT_TRUE(api->remove(r::kNamespaces, {"", ns}, {}).ok());
}

Json ApiContract::configMap(const std::string& name, Json extra) const {
  Json out = {{"metadata", {{"name", name}, {"namespace", ns}}}, {"data", {{"k", "v"}}}};
  mergePatch(out, extra);
  return out;
}

Json ApiContract::make(const kube::ResourceType& type, const Json& object) {
  auto made = api->create(type, object);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return made.ok() ? *made : Json::object();
}

Json ApiContract::makeConfigMap(const std::string& name, Json extra) {
  return make(r::kConfigMaps, configMap(name, std::move(extra)));
}

std::string ApiContract::currentVersion() {
  const auto list = api->list(r::kConfigMaps, {.ns = ns});
  EXPECT_TRUE(list.ok());
  return list.ok() ? list->resourceVersion : "";
}

std::unique_ptr<kube::Watch> ApiContract::watchFrom(const std::string& version, const std::string& selector) {
  auto watch = api->watch(r::kConfigMaps, {.ns = ns,
                                           .labelSelector = selector,
                                           .fieldSelector = "metadata.name!=kube-root-ca.crt",
                                           .resourceVersion = version});
  EXPECT_TRUE(watch.ok()) << watch.error().message;
  return watch.ok() ? std::move(*watch) : nullptr;
}

kube::WatchEvent ApiContract::nextEvent(kube::Watch& watch) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    auto event = watch.next(milliseconds(100));
    if (!event) {
      ADD_FAILURE() << event.error().message;
      break;
    }
    if (*event && (*event)->type != kube::WatchEvent::Type::Bookmark) return std::move(**event);
    subject->settle();
  }
  ADD_FAILURE() << "no event came";
  return {kube::WatchEvent::Type::Bookmark, Json::object()};
}

std::string ApiContract::nextText(kube::Watch& watch) {
  const auto event = nextEvent(watch);
  return std::string(word(event.type)) + " " + text(event.object, "metadata", "name");
}

bool ApiContract::awaitEnd(const kube::ResourceType& type, const std::string& name) {
  const kube::NamespacedName at{type.namespaced ? ns : "", name};
  auto watch = api->watch(type, {.ns = at.ns, .fieldSelector = "metadata.name=" + name});
  if (!watch) return false;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    subject->settle();
    if (api->get(type, at).is(Errc::NotFound)) return true;
    if (!(*watch)->next(milliseconds(500))) return api->get(type, at).is(Errc::NotFound);
  }
  return false;
}

Json ownerReference(const Json& owner, bool block) {
  return {{"apiVersion", text(owner, "apiVersion")},
          {"kind", text(owner, "kind")},
          {"name", text(owner, "metadata", "name")},
          {"uid", text(owner, "metadata", "uid")},
          {"blockOwnerDeletion", block}};
}

std::string versionOf(const Json& object) {
  return text(object, "metadata", "resourceVersion");
}

Json labels(Json values) {
  return {{"metadata", {{"labels", std::move(values)}}}};
}
Json finalizers(Json names) {
  return {{"metadata", {{"finalizers", std::move(names)}}}};
}

Json lockedBy(const Json& seen, Json change) {
  change["metadata"]["resourceVersion"] = versionOf(seen);
  return change;
}

}  // namespace godwit::contract
