#include "replication/mini_world.h"

#include "api/mover_result.h"

namespace godwit::replication {

MiniWorld::MiniWorld() {
  auto opened = standalone::Store::open({}, serverClock, random);
  EXPECT_TRUE(opened.ok());
  store = *std::move(opened);
  store->setLogSource([](const auto&, const auto&) { return std::string("a line of the log\n"); });
  faulty = std::make_unique<sim::FaultyApi>(*store, clock, random);
  counted = std::make_unique<CountingApi>(*faulty);
  put(kinds::kNamespaces, {{"metadata", {{"name", "ns"}}}});
}

void MiniWorld::start() {
  controller.reset();
  controller = std::make_unique<Controller>(*counted, clock, random, metrics, config);
}

void MiniWorld::settle() {
  if (!controller) start();
  for (int round = 0; round < 2000; ++round) {
    bool busy = controller->pump();
    if (controller->stepOne()) busy = true;
    if (storageRespond && playStorage()) busy = true;
    while (store->collectGarbage()) busy = true;
    if (!busy) return;
  }
  ADD_FAILURE() << "the controller never comes to rest";
}

void MiniWorld::advance(Duration by) {
  clock.advance(by);
  settle();
}

bool MiniWorld::playStorage() {
  bool any = false;
  for (const auto& name : names(kinds::kPersistentVolumeClaims)) {
    const auto pvc = get(kinds::kPersistentVolumeClaims, name);
    if (text(pvc, "status", "phase") == "Bound") continue;
    edit(kinds::kPersistentVolumeClaims, name, {{"status", {{"phase", "Bound"}, {"capacity", {{"storage", "1Gi"}}}}}},
         kube::Subresource::Status);
    any = true;
  }
  for (const auto& name : names(kinds::kVolumeSnapshots)) {
    if (truth(get(kinds::kVolumeSnapshots, name), "status", "readyToUse")) continue;
    edit(kinds::kVolumeSnapshots, name,
         {{"status", {{"readyToUse", true}, {"boundVolumeSnapshotContentName", "c"}, {"restoreSize", "2Gi"}}}},
         kube::Subresource::Status);
    any = true;
  }
  for (const auto& name : names(kinds::kServices)) {
    if (!text(get(kinds::kServices, name), "spec", "clusterIP").empty()) continue;
    edit(kinds::kServices, name, {{"spec", {{"clusterIP", "10.99.236.225"}}}});
    any = true;
  }
  return any;
}

std::string MiniWorld::resultMessage(bool ok, const std::string& error) const {
  api::MoverResult result;
  result.ok = ok;
  result.engine = "rsync";
  result.files = 3;
  result.bytesSent = 1024;
  result.error = error;
  return api::encode(result);
}

std::string MiniWorld::makePod(const Json& job) {
  const auto name = text(job, "metadata", "name");
  Json pod = {{"metadata",
               {{"generateName", name + "-"},
                {"labels", *find(job, "spec", "template", "metadata", "labels")},
                {"ownerReferences", Json::array({{{"apiVersion", "batch/v1"},
                                                  {"kind", "Job"},
                                                  {"name", name},
                                                  {"uid", text(job, "metadata", "uid")},
                                                  {"controller", true}}})}}},
              {"spec", *find(job, "spec", "template", "spec")}};
  pod["apiVersion"] = "v1";
  pod["kind"] = "Pod";
  pod["metadata"]["namespace"] = "ns";
  const auto made = store->create(kinds::kPods, pod);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return text(*made, "metadata", "name");
}

void MiniWorld::runMover(Role role) {
  const auto job = get(kinds::kJobs, api::jobName(role, role == Role::Source ? "s" : "d"));
  ASSERT_FALSE(job.is_null()) << "no mover";
  edit(kinds::kPods, makePod(job), {{"status", {{"phase", "Running"}}}}, kube::Subresource::Status);
  settle();
}

void MiniWorld::endMover(Role role, bool ok, const std::string& message) {
  const auto name = api::jobName(role, role == Role::Source ? "s" : "d");
  const auto job = get(kinds::kJobs, name);
  ASSERT_FALSE(job.is_null()) << "no mover " << name;
  const Json ended = {{"exitCode", ok ? 0 : 1}, {"message", message}};
  edit(kinds::kPods, makePod(job),
       {{"status",
         {{"phase", ok ? "Succeeded" : "Failed"},
          {"containerStatuses", Json::array({{{"name", "rsync"}, {"state", {{"terminated", ended}}}}})}}}},
       kube::Subresource::Status);
  const Json condition = {{"type", ok ? "Complete" : "Failed"}, {"status", "True"}};
  edit(kinds::kJobs, name, {{"status", {{"conditions", Json::array({condition})}}}}, kube::Subresource::Status);
}

void MiniWorld::put(const kube::ResourceType& type, Json object) {
  object["apiVersion"] = type.apiVersion();
  object["kind"] = std::string(type.kind);
  if (type.namespaced) object["metadata"]["namespace"] = "ns";
  const auto made = store->create(type, object);
  ASSERT_TRUE(made.ok()) << made.error().message;
}

void MiniWorld::edit(const kube::ResourceType& type, const std::string& name, const Json& patch,
                     kube::Subresource subresource) {
  const auto stored = store->patch(type, {type.namespaced ? "ns" : "", name}, patch, subresource);
  ASSERT_TRUE(stored.ok()) << stored.error().message;
}

Json MiniWorld::get(const kube::ResourceType& type, const std::string& name) {
  auto stored = store->get(type, {type.namespaced ? "ns" : "", name});
  return stored.ok() ? *stored : Json();
}

std::vector<std::string> MiniWorld::names(const kube::ResourceType& type) {
  std::vector<std::string> out;
  const auto all = store->list(type, {.ns = "ns"});
  for (const auto& item : all->items) out.push_back(text(item, "metadata", "name"));
  return out;
}

api::Replication MiniWorld::source() {
  auto object = api::replicationFromJson(get(kinds::kReplicationSources, "s"));
  EXPECT_TRUE(object.ok()) << object.error().message;
  return *object;
}
api::Replication MiniWorld::destination() {
  return *api::replicationFromJson(get(kinds::kReplicationDestinations, "d"));
}

static std::string words(const api::Condition* condition) {
  return condition ? condition->status + " " + condition->reason + " " + condition->message : "absent";
}
std::string MiniWorld::synchronizing(const api::Replication& object) {
  return words(object.status.condition("Synchronizing"));
}
std::string MiniWorld::reconciled(const api::Replication& object) {
  return words(object.status.condition("Reconciled"));
}

std::vector<std::string> MiniWorld::events() {
  std::vector<std::string> out;
  const auto all = store->list(kinds::kEvents, {.ns = "ns"});
  for (const auto& item : all->items) out.push_back(text(item, "reason"));
  return out;
}

void MiniWorld::makePvc(const std::string& name, const Json& annotations) {
  put(kinds::kPersistentVolumeClaims, {{"metadata", {{"name", name}, {"annotations", annotations}}},
                                       {"spec",
                                        {{"accessModes", {"ReadWriteOnce"}},
                                         {"storageClassName", "my-sc"},
                                         {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}});
}

void MiniWorld::makeKeys(Role role, const std::string& name) {
  static const KeyPair kSource = *generateKeyPair(KeyType::Ed25519, "source");
  static const KeyPair kDestination = *generateKeyPair(KeyType::Ed25519, "destination");
  Json data = {{"source.pub", api::base64Encode(kSource.publicKey)},
               {"destination.pub", api::base64Encode(kDestination.publicKey)}};
  if (role == Role::Source) data["source"] = api::base64Encode(kSource.privateKey);
  if (role == Role::Destination) data["destination"] = api::base64Encode(kDestination.privateKey);
  put(kinds::kSecrets, {{"metadata", {{"name", name}}}, {"type", "Opaque"}, {"data", data}});
}

void MiniWorld::makeSource(const Json& rsync, const Json& spec) {
  Json all = {{"sourcePVC", "data"}, {"rsync", {{"sshKeys", "keys"}, {"address", "far.example"}}}};
  if (rsync.is_object()) mergePatch(all["rsync"], rsync);
  if (spec.is_object()) mergePatch(all, spec);
  put(kinds::kReplicationSources, {{"metadata", {{"name", "s"}}}, {"spec", all}});
}

void MiniWorld::startSource(const std::string& copyMethod) {
  makePvc("data");
  makeKeys(Role::Source, "keys");
  makeSource({{"copyMethod", copyMethod}}, kManual);
  settle();
}

void MiniWorld::makeDestination(const Json& rsync, const Json& spec) {
  Json all = {{"rsync", {{"capacity", "1Gi"}, {"accessModes", {"ReadWriteOnce"}}, {"copyMethod", "Snapshot"}}}};
  if (rsync.is_object()) mergePatch(all["rsync"], rsync);
  if (spec.is_object()) mergePatch(all, spec);
  put(kinds::kReplicationDestinations, {{"metadata", {{"name", "d"}}}, {"spec", all}});
}

}  // namespace godwit::replication
