#include "bench/pair.h"

#include <fmt/core.h>

namespace godwit::bench {

namespace {

namespace kinds = kube::resources;

Json claim(const std::string& ns, const std::string& name, const std::string& storageClass, const std::string& volume) {
  Json spec = {{"accessModes", {"ReadWriteOnce"}},
               {"storageClassName", storageClass},
               {"resources", {{"requests", {{"storage", "1Gi"}}}}}};
  if (!volume.empty()) spec["volumeName"] = volume;
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolumeClaim"},
          {"metadata", {{"name", name}, {"namespace", ns}}},
          {"spec", spec}};
}

Json replication(const char* kind, const std::string& ns, const std::string& name, Json spec) {
  return {{"apiVersion", std::string(api::kApiVersion)},
          {"kind", kind},
          {"metadata", {{"name", name}, {"namespace", ns}}},
          {"spec", std::move(spec)}};
}

// What a destination changes when it has received once more; two syncs within a second still get two images or
// durations.
std::string publication(const Json& destination) {
  return text(destination, "status", "lastSyncTime") + " " + text(destination, "status", "lastSyncDuration") + " " +
         text(destination, "status", "latestImage", "name");
}

// Until another Job than the one last seen runs.
Result<void> awaitNext(Follower& jobs, std::string& uid, const std::string& what) {
  const auto running = [&](const Json& job) {
    return number(0, job, "status", "ready") > 0 && text(job, "metadata", "uid") != uid;
  };
  GODWIT_ASSIGN(const auto job, jobs.until(running, what));
  uid = text(job, "metadata", "uid");
  return {};
}

}  // namespace

Result<void> copyTree(const std::filesystem::path& from, const std::filesystem::path& to) {
  GODWIT_ASSIGN(const auto copied,
                runProcess({.argv = {"cp", "-a", from.string() + "/.", to.string()}}, {}, std::chrono::minutes(10)));
  if (!copied.status.success()) return Error{Errc::Io, "cp -a: " + copied.err};
  return {};
}

Result<std::unique_ptr<Pair>> Pair::make(Server& server, const std::string& name, Copy copy,
                                         const std::filesystem::path& source,
                                         const std::filesystem::path& destination) {
  std::unique_ptr<Pair> pair(new Pair(server, name));
  GODWIT_TRY(pair->api_.create(kinds::kNamespaces,
                               {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}}));
  GODWIT_TRY(pair->volumes(copy, source, destination));
  GODWIT_TRY(pair->objects(copy));
  GODWIT_TRY(pair->awaitListening());  // for the first sync
  GODWIT_TRY(pair->awaitMover());
  GODWIT_TRY(pair->awaitSynced());
  GODWIT_TRY(pair->awaitListening());
  return pair;
}

Result<void> Pair::volumes(Copy copy, const std::filesystem::path& source, const std::filesystem::path& destination) {
  if (copy == Copy::Snapshot) return ownVolume("from", source);
  GODWIT_TRY(hostVolume("from", source));
  return hostVolume("to", destination);
}

Result<void> Pair::hostVolume(const std::string& name, const std::filesystem::path& path) {
  const auto volume = name_ + "-" + name;
  const Json object = {{"apiVersion", "v1"},
                       {"kind", "PersistentVolume"},
                       {"metadata", {{"name", volume}}},
                       {"spec",
                        {{"accessModes", {"ReadWriteOnce"}},
                         {"capacity", {{"storage", "1Gi"}}},
                         {"persistentVolumeReclaimPolicy", "Retain"},
                         {"storageClassName", ""},
                         {"hostPath", {{"path", path.string()}}}}}};
  GODWIT_TRY(api_.create(kinds::kPersistentVolumes, object));
  GODWIT_TRY(api_.create(kinds::kPersistentVolumeClaims, claim(name_, name, "", volume)));
  return {};
}

Result<void> Pair::ownVolume(const std::string& name, const std::filesystem::path& content) {
  GODWIT_TRY(api_.create(kinds::kPersistentVolumeClaims, claim(name_, name, "my-sc", "")));
  GODWIT_ASSIGN(auto claims, Follower::open(api_, kinds::kPersistentVolumeClaims, {name_, name}));
  GODWIT_ASSIGN(const auto bound,
                claims.until([](const Json& c) { return text(c, "status", "phase") == "Bound"; }, "a volume"));
  GODWIT_ASSIGN(const auto volume, api_.get(kinds::kPersistentVolumes, {"", text(bound, "spec", "volumeName")}));
  auto path = text(volume, "spec", "hostPath", "path");
  if (path.empty()) path = text(volume, "spec", "local", "path");
  return copyTree(content, path);
}

Result<void> Pair::objects(Copy copy) {
  const std::string method = copy == Copy::Direct ? "Direct" : "Snapshot";
  Json rsync = {{"copyMethod", method}};
  if (copy == Copy::Direct) {
    rsync["destinationPVC"] = "to";
  } else {
    rsync.update({{"capacity", "1Gi"},
                  {"accessModes", {"ReadWriteOnce"}},
                  {"storageClassName", "my-sc"},
                  {"volumeSnapshotClassName", "my-vsc"}});
  }
  GODWIT_TRY(api_.create(kinds::kReplicationDestinations,
                         replication("ReplicationDestination", name_, "to", {{"rsync", rsync}})));
  GODWIT_ASSIGN(destination_, Follower::open(api_, kinds::kReplicationDestinations, {name_, "to"}));
  GODWIT_ASSIGN(const auto ready, destination_->until(
                                      [](const Json& d) {
                                        return !text(d, "status", "rsync", "address").empty() &&
                                               !text(d, "status", "rsync", "sshKeys").empty();
                                      },
                                      "the destination's address and keys"));
  published_ = publication(ready);
  Json send = {{"copyMethod", method},
               {"address", text(ready, "status", "rsync", "address")},
               {"sshKeys", text(ready, "status", "rsync", "sshKeys")}};
  if (const auto* port = find(ready, "status", "rsync", "port")) send["port"] = *port;
  GODWIT_TRY(api_.create(kinds::kReplicationSources,
                         replication("ReplicationSource", name_, "from",
                                     {{"sourcePVC", "from"}, {"trigger", {{"manual", "0"}}}, {"rsync", send}})));
  GODWIT_ASSIGN(source_, Follower::open(api_, kinds::kReplicationSources, {name_, "from"}));
  GODWIT_ASSIGN(sourceJob_, Follower::open(api_, kinds::kJobs, {name_, "volsync-rsync-src-from"}));
  GODWIT_ASSIGN(destinationJob_, Follower::open(api_, kinds::kJobs, {name_, "volsync-rsync-dst-to"}));
  return {};
}

Result<void> Pair::trigger() {
  const auto value = std::to_string(++round_);
  GODWIT_TRY(api_.patch(kinds::kReplicationSources, {name_, "from"}, {{"spec", {{"trigger", {{"manual", value}}}}}}));
  return {};
}

Result<void> Pair::awaitMover() {
  return awaitNext(*sourceJob_, sourceJobUid_, "the source's Job to run");
}

Result<void> Pair::awaitSynced() {
  const auto value = std::to_string(round_);
  GODWIT_TRY(
      source_->until([&](const Json& s) { return text(s, "status", "lastManualSync") == value; }, "the source's sync"));
  GODWIT_ASSIGN(
      const auto done,
      destination_->until(
          [&](const Json& d) { return !text(d, "status", "lastSyncTime").empty() && publication(d) != published_; },
          "the destination to publish"));
  published_ = publication(done);
  return {};
}

Result<void> Pair::awaitListening() {
  return awaitNext(*destinationJob_, destinationJobUid_, "the destination's next Job");
}

}  // namespace godwit::bench
