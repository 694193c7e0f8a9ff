#include "apiserver/fixture.h"

#include <thread>

#include "api/core.h"
#include "base/fd.h"
#include "replication/keygen.h"

namespace godwit::apiserver {

static std::unique_ptr<ApiServer>& shared() {
  static std::unique_ptr<ApiServer> server;
  return server;
}

ApiServer* sharedServer() {
  if (shared() || !ApiServer::missing().empty()) return shared().get();
  auto started = ApiServer::start();
  if (!started) {
    ADD_FAILURE() << started.error().message;
    return nullptr;
  }
  shared() = std::move(*started);
  for (const auto& installed : {shared()->installReplications(), shared()->installSnapshots()}) {
    EXPECT_TRUE(installed.ok()) << installed.error().message;
  }
  return shared().get();
}

void endSharedServer() {
  shared().reset();
}

Json until(kube::Api& api, const kube::ResourceType& type, const kube::NamespacedName& key, const Condition& condition,
           Duration most) {
  const SystemClock clock;
  const auto end = clock.monotonic() + most;
  Json last;
  while (clock.monotonic() < end) {  // again only where a server was away
    auto watch = api.watch(type, {.ns = key.ns, .fieldSelector = "metadata.name=" + key.name});
    if (!watch) std::this_thread::sleep_for(50ms);
    while (watch && clock.monotonic() < end) {
      auto event = (*watch)->next(200ms);
      if (!event) break;
      if (!*event || (*event)->type == kube::WatchEvent::Type::Bookmark) continue;
      last = (*event)->type == kube::WatchEvent::Type::Deleted ? Json() : std::move((*event)->object);
      if (!last.is_null() && condition(last)) return last;
    }
  }
  ADD_FAILURE() << "still not so: " << type.kind << " " << key.str() << ": " << last.dump(1);
  return {};
}

bool untilGone(kube::Api& api, const kube::ResourceType& type, const kube::NamespacedName& key, Duration most) {
  const SystemClock clock;
  const auto end = clock.monotonic() + most;
  auto watch = api.watch(type, {.ns = key.ns, .fieldSelector = "metadata.name=" + key.name});
  while (clock.monotonic() < end) {
    if (api.get(type, key).is(Errc::NotFound)) return true;
    if (!watch.ok() || !(*watch)->next(500ms)) return false;
  }
  return false;
}

std::string synchronizing(const Json& object) {
  const Json* conditions = find(object, "status", "conditions");
  if (!conditions) return {};
  for (const auto& each : *conditions) {
    if (text(each, "type") == "Synchronizing") return text(each, "reason") + ": " + text(each, "message");
  }
  return {};
}

static std::string holder(const Json& lease) {
  return text(lease, "spec", "holderIdentity");
}

bool synced(const Json& object, const std::string& manual) {
  return text(object, "status", "lastManualSync") == manual && text(object, "status", "lastSyncStartTime").empty();
}

void OperatorTest::SetUp() {
  if (const auto missing = ApiServer::missing(); !missing.empty())
    GTEST_SKIP() << "SKIPPED: not run against a real API server: " << missing;
  ASSERT_NE(sharedServer(), nullptr);
  const auto made = api().create(r::kNamespaces, {{"metadata", {{"generateName", "godwit-"}}}});
  ASSERT_TRUE(made.ok()) << made.error().message;
  ns = text(*made, "metadata", "name");
  simulator = std::make_unique<Simulator>(api());
}

void OperatorTest::TearDown() {
  simulator.reset();
  if (!ns.empty()) (void)api().remove(r::kNamespaces, {"", ns}, {});
  const auto log = readFile(ns.empty() ? "/dev/null" : logPath(), 64 << 20);
  if (HasFailure() && log) fprintf(stderr, "%s\n", log->c_str());
}

std::unique_ptr<OperatorProcess> OperatorTest::startOperator(std::vector<std::string> arguments,
                                                             const std::string& kubeconfig,
                                                             std::vector<std::string> wrapper) {
  arguments.insert(arguments.begin(), {"--namespace", ns, "--leader-election-namespace", ns});
  auto started = OperatorProcess::start(kubeconfig.empty() ? sharedServer()->kubeconfig() : kubeconfig, logPath(),
                                        std::move(arguments), std::move(wrapper));
  EXPECT_TRUE(started.ok()) << started.error().message;
  return started.ok() ? std::move(*started) : nullptr;
}

Json OperatorTest::make(const kube::ResourceType& type, const std::string& name, Json body) {
  body["metadata"]["name"] = name;
  body["metadata"]["namespace"] = ns;
  auto made = api().create(type, body);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return made.ok() ? *made : Json();
}

void OperatorTest::makeClaim(const std::string& name) {
  make(r::kPersistentVolumeClaims, name,
       {{"spec",
         {{"accessModes", {"ReadWriteOnce"}},
          {"storageClassName", "godwit-none"},
          {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}});
}

void OperatorTest::makeKeys(const std::string& name) {
  using KeyType = replication::ControllerConfig::KeyType;
  const auto one = replication::generateKeyPair(KeyType::Ed25519, "one"),
             two = replication::generateKeyPair(KeyType::Ed25519, "two");
  ASSERT_TRUE(one.ok() && two.ok());
  make(r::kSecrets, name,
       {{"stringData",
         {{"source", one->privateKey}, {"source.pub", one->publicKey}, {"destination.pub", two->publicKey}}}});
}

void OperatorTest::makeSource(const std::string& name, const std::string& copyMethod, const std::string& manual) {
  makeClaim(name);
  makeKeys(name);
  make(r::kReplicationSources, name,
       {{"spec",
         {{"sourcePVC", name},
          {"trigger", {{"manual", manual}}},
          {"rsync", {{"copyMethod", copyMethod}, {"address", "192.0.2.1"}, {"sshKeys", name}}}}}});
}

void OperatorTest::makeDestination(const std::string& name, const std::string& copyMethod, Json trigger) {
  Json spec = {{"rsync",
                {{"copyMethod", copyMethod},
                 {"capacity", "1Gi"},
                 {"accessModes", {"ReadWriteOnce"}},
                 {"storageClassName", "godwit-none"}}}};
  if (!trigger.is_null()) spec["trigger"] = std::move(trigger);
  make(r::kReplicationDestinations, name, {{"spec", std::move(spec)}});
}

void OperatorTest::trigger(const kube::ResourceType& type, const std::string& name, const std::string& manual) {
  const auto done = api().patch(type, key(name), {{"spec", {{"trigger", {{"manual", manual}}}}}});
  EXPECT_TRUE(done.ok()) << done.error().message;
}

Json OperatorTest::awaitSync(const kube::ResourceType& type, const std::string& name, const std::string& manual) {
  return until(api(), type, key(name), [&](const Json& object) { return synced(object, manual); });
}

std::string OperatorTest::awaitHolder(const std::string& notThis, Duration most) {
  return holder(until(
      api(), r::kLeases, key("godwit-operator"),
      [&](const Json& lease) { return !holder(lease).empty() && holder(lease) != notThis; }, most));
}

std::string OperatorTest::awaitWarning(const std::string& object) {
  const auto watch = api().watch(r::kEvents, {.ns = ns, .fieldSelector = "type=Warning,involvedObject.name=" + object});
  EXPECT_TRUE(watch.ok());
  const SystemClock clock;
  for (const auto end = clock.monotonic() + 60s; watch.ok() && clock.monotonic() < end;) {
    const auto event = (*watch)->next(1s);
    if (!event) break;
    if (*event && (*event)->type == kube::WatchEvent::Type::Added) return text((*event)->object, "message");
  }
  return {};
}

std::string OperatorTest::kubectl(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), {"kubectl", "--kubeconfig", sharedServer()->kubeconfig(), "-n", ns});
  ProcessSpec spec;
  spec.argv = std::move(arguments);
  auto ran = runProcess(std::move(spec));
  EXPECT_TRUE(ran.ok() && ran->status.success()) << (ran.ok() ? ran->err : ran.error().message);
  if (!ran) return {};
  while (!ran->out.empty() && ran->out.back() == '\n') ran->out.pop_back();
  return ran->out;
}

std::string OperatorTest::kubeconfigOf(const std::string& account) const {
  auto path = sharedServer()->account(ns, account);
  EXPECT_TRUE(path.ok()) << path.error().message;
  return path.ok() ? *std::move(path) : std::string();
}

}  // namespace godwit::apiserver
