#include "bench/control_plane/site.h"

#include <fmt/core.h>

#include <set>
#include <thread>

#include "base/process.h"

namespace godwit::bench {

namespace r = kube::resources;
using namespace std::chrono_literals;

namespace {

constexpr int kPerNamespace = 50;

// A real pair of Ed25519 keys would say nothing more here: only their form is looked at.
Result<Json> keySecret() {
  ProcessSpec spec;
  spec.argv = {"sh", "-c", "d=$(mktemp -d); ssh-keygen -q -t ed25519 -N '' -f $d/k; cat $d/k.pub; cat $d/k; rm -r $d"};
  GODWIT_ASSIGN(const auto ran, runProcess(std::move(spec)));
  const auto line = ran.out.find('\n');
  if (!ran.status.success() || line == std::string::npos) return Error{Errc::Internal, "ssh-keygen: " + ran.err};
  const auto open = ran.out.substr(0, line + 1), secret = ran.out.substr(line + 1);
  return Json{{"metadata", {{"name", "keys"}}},
              {"stringData", {{"source", secret}, {"source.pub", open}, {"destination.pub", open}}}};
}

std::string failure(const Json& object) {
  const Json* conditions = find(object, "status", "conditions");
  if (!conditions) return {};
  for (const auto& each : *conditions) {
    if (text(each, "reason") == "Error") return text(each, "message");
  }
  return {};
}

bool synced(const Json& object, const std::string& manual) {
  return text(object, "status", "lastManualSync") == manual && text(object, "status", "lastSyncStartTime").empty();
}

}  // namespace

kube::NamespacedName sourceKey(int i) {
  return {fmt::format("bench-{}", i / kPerNamespace), fmt::format("source-{:05}", i)};
}
kube::NamespacedName destinationKey(int i) {
  return {fmt::format("bench-{}", i / kPerNamespace), fmt::format("destination-{:05}", i)};
}

Json sourceOf(int i, const std::string& copyMethod, const std::string& manual) {
  const auto key = sourceKey(i);
  return {{"metadata", {{"namespace", key.ns}, {"name", key.name}}},
          {"spec",
           {{"sourcePVC", "data"},
            {"trigger", {{"manual", manual}}},
            {"rsync", {{"copyMethod", copyMethod}, {"address", "192.0.2.1"}, {"sshKeys", "keys"}}}}}};
}

Result<std::unique_ptr<Site>> Site::open() {
  if (const auto missing = apiserver::ApiServer::missing(); !missing.empty()) return Error{Errc::NotFound, missing};
  auto site = std::make_unique<Site>();
  GODWIT_ASSIGN(site->server, apiserver::ApiServer::start());
  GODWIT_ASSIGN(site->kubeconfig_, site->server->installRelease());
  GODWIT_TRY(site->server->installSnapshots());
  site->simulator = std::make_unique<apiserver::Simulator>(site->api());
  return site;
}

Result<void> Site::prepare(const std::string& ns) {
  std::lock_guard lock(preparing_);
  if (!prepared_.insert(ns).second) return {};
  GODWIT_TRY(api().create(r::kNamespaces, {{"metadata", {{"name", ns}}}}));
  GODWIT_TRY(api().create(r::kServiceAccounts, {{"metadata", {{"namespace", ns}, {"name", "default"}}}}));
  GODWIT_ASSIGN(auto keys, keySecret());
  keys["metadata"]["namespace"] = ns;
  GODWIT_TRY(api().create(r::kSecrets, keys));
  GODWIT_TRY(api().create(r::kPersistentVolumeClaims, {{"metadata", {{"namespace", ns}, {"name", "data"}}},
                                                       {"spec",
                                                        {{"accessModes", {"ReadWriteOnce"}},
                                                         {"storageClassName", "none"},
                                                         {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}}));
  return {};
}

Result<void> Site::startOperator() {
  // One that was killed has left it behind; waiting for its end is not what is measured.
  const auto lease = api().remove(r::kLeases, {"godwit-system", "godwit"}, {});
  if (!lease && !lease.is(Errc::NotFound)) return lease;
  GODWIT_ASSIGN(godwit, apiserver::OperatorProcess::start(kubeconfig_, server->directory() + "/log/operator.log",
                                                          {"--leader-election-id=godwit"}));
  return {};
}

Result<void> Site::makeSources(int first, int count, const std::string& copyMethod, const std::string& manual) {
  for (int i = first; i < first + count; ++i) {
    GODWIT_TRY(prepare(sourceKey(i).ns));
    GODWIT_TRY(api().create(r::kReplicationSources, sourceOf(i, copyMethod, manual)));
  }
  return {};
}

Result<void> Site::bareSyncs(int first, int count) {
  const Json pod = {{"restartPolicy", "Never"},
                    {"containers", Json::array({{{"name", "rsync"}, {"image", "none"}, {"command", {"true"}}}})}};
  for (int i = first; i < first + count; ++i) {
    const auto key = sourceKey(i);
    GODWIT_TRY(prepare(key.ns));
    GODWIT_TRY(api().create(r::kReplicationSources, sourceOf(i, "Direct", "bare")));
    GODWIT_TRY(api().create(
        r::kJobs,
        {{"metadata",
          {{"namespace", key.ns}, {"name", key.name}, {"labels", {{"app.kubernetes.io/created-by", "volsync"}}}}},
         {"spec", {{"template", {{"spec", pod}}}}}}));
  }
  GODWIT_ASSIGN(const auto jobs, api().watch(r::kJobs, {}));  // what there is, then what comes
  for (int done = 0; done < count;) {
    GODWIT_ASSIGN(const auto event, jobs->next(60s));
    if (!event) return Error{Errc::Timeout, "Jobs do not complete"};
    if (event->type == kube::WatchEvent::Type::Deleted)
      ++done;
    else if (find(event->object, "status", "completionTime")) {
      const auto gone = api().remove(r::kJobs, kube::keyOf(event->object), {});
      if (!gone && !gone.is(Errc::NotFound)) return gone;
    }
  }
  return {};
}

Result<void> Site::makeDestinations(int first, int count, const std::string& copyMethod, const std::string& manual) {
  for (int i = first; i < first + count; ++i) {
    const auto key = destinationKey(i);
    GODWIT_TRY(prepare(key.ns));
    GODWIT_TRY(api().create(r::kReplicationDestinations, {{"metadata", {{"namespace", key.ns}, {"name", key.name}}},
                                                          {"spec",
                                                           {{"trigger", {{"manual", manual}}},
                                                            {"rsync",
                                                             {{"copyMethod", copyMethod},
                                                              {"capacity", "1Gi"},
                                                              {"accessModes", {"ReadWriteOnce"}},
                                                              {"storageClassName", "none"}}}}}}));
  }
  return {};
}

Result<void> Site::trigger(int source, const std::string& manual) {
  GODWIT_TRY(api().patch(r::kReplicationSources, sourceKey(source), {{"spec", {{"trigger", {{"manual", manual}}}}}}));
  return {};
}

Result<void> Site::awaitSynced(const kube::ResourceType& type, int count, const std::string& manual) {
  const SystemClock clock;
  const auto end = clock.monotonic() + 10min;
  std::set<std::string> done;
  std::string trouble;
  while (clock.monotonic() < end) {
    auto watch = api().watch(type, {});  // what there is, then what comes
    while (watch.ok() && clock.monotonic() < end) {
      const auto event = (*watch)->next(1s);
      if (!event) break;
      if (!*event || (*event)->type == kube::WatchEvent::Type::Bookmark) continue;
      if (const auto why = failure((*event)->object); !why.empty()) trouble = why;
      if (synced((*event)->object, manual)) done.insert(text((*event)->object, "metadata", "name"));
      if (static_cast<int>(done.size()) >= count) return {};
    }
    if (!watch.ok()) std::this_thread::sleep_for(10ms);  // a server that is away
  }
  return Error{Errc::Timeout,
               fmt::format("{} of {} {} have synchronised; {}", done.size(), count, type.plural, trouble)};
}

Result<void> Site::awaitNoJobs() {
  for (int i = 0; i < 6000; ++i) {
    GODWIT_ASSIGN(const auto jobs, api().list(r::kJobs, {.limit = 1}));
    if (jobs.items.empty()) return {};
    std::this_thread::sleep_for(10ms);
  }
  return Error{Errc::Timeout, "there are still Jobs"};
}

}  // namespace godwit::bench
