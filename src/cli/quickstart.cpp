#include "cli/quickstart.h"

#include <fmt/core.h>

#include <cmath>

#include "api/replication.h"
#include "cli/follow.h"
#include "cli/manifests.h"
#include "cli/progress.h"
#include "cli/quickstart_data.h"
#include "cli/status_table.h"

namespace godwit::cli {

namespace {

using namespace std::chrono;
namespace resources = kube::resources;

constexpr auto kPatience = minutes(10);

std::string complaint(const Json& object) {
  const auto replication = api::replicationFromJson(object);
  return replication ? statusRow(*replication, TimePoint{}, "").message : replication.error().message;
}

// What sits in the status after a mover ended: its one-line summary comes first.
std::string firstLine(const std::string& logs) {
  return logs.substr(0, logs.find('\n'));
}

}  // namespace

Result<void> Tour::run() {
  GODWIT_TRY(makeVolume());
  GODWIT_TRY(makeDestination());
  GODWIT_TRY(copySecret());
  GODWIT_TRY(makeSource());
  GODWIT_TRY(firstSync());
  GODWIT_TRY(change());
  GODWIT_TRY(secondSync());
  return compare();
}

void Tour::say(const std::string& text) {
  terminal_.line(fmt::format("{}. {}", ++step_, text));
}

Result<Json> Tour::manifest(const char* file, const char* kind) const {
  GODWIT_ASSIGN(auto objects, loadManifests((options_.manifests / file).string()));
  for (auto& object : objects) {
    if (text(object, "kind") == kind) return std::move(object);
  }
  return Error{Errc::Invalid, fmt::format("{}: no {} in it", (options_.manifests / file).string(), kind)};
}

Result<void> Tour::apply(const Json& object) {
  auto applied = applyManifest(godwit_.api(), object);
  if (!applied) return Error{applied.error().code, displayName(object) + ": " + applied.error().message};
  return {};
}

Result<void> Tour::makeVolume() {
  GODWIT_ASSIGN(const auto objects, loadManifests((options_.manifests / "10-volume.yaml").string()));
  for (const auto& object : objects) GODWIT_TRY(apply(object));
  GODWIT_ASSIGN(const auto claim, manifest("10-volume.yaml", "PersistentVolumeClaim"));
  GODWIT_ASSIGN(const auto bound,
                follow(godwit_.api(), resources::kPersistentVolumeClaims, kube::keyOf(claim),
                       {.ready = [](const Json& pvc) { return text(pvc, "status", "phase") == "Bound"; },
                        .timeout = minutes(1),
                        .stop = stop_}));
  GODWIT_ASSIGN(const auto pv,
                godwit_.api().get(resources::kPersistentVolumes, {"", text(bound, "spec", "volumeName")}));
  volume_ = text(pv, "spec", "hostPath", "path");
  if (volume_.empty()) volume_ = text(pv, "spec", "local", "path");
  if (volume_.empty())
    return Error{Errc::Internal, "PersistentVolume " + text(pv, "metadata", "name") + " names no path"};
  terminal_.draw("   filling the source volume ...");
  GODWIT_ASSIGN(const auto contents, fillVolume(volume_));
  say(fmt::format("Source volume {}: {} files, {}, copied from {}", kube::keyOf(claim).str(), grouped(contents.entries),
                  humanBytes(contents.bytes), contents.from));
  return {};
}

Result<void> Tour::makeDestination() {
  GODWIT_ASSIGN(const auto object, manifest("20-destination.yaml", "ReplicationDestination"));
  GODWIT_TRY(apply(object));
  const auto published = [](const Json& d) {
    return !text(d, "status", "rsync", "address").empty() && !text(d, "status", "rsync", "sshKeys").empty();
  };
  GODWIT_ASSIGN(destination_,
                follow(godwit_.api(), resources::kReplicationDestinations, kube::keyOf(object),
                       {.ready = published, .obstacle = complaint, .timeout = minutes(1), .stop = stop_}));
  say(fmt::format("Destination {}: address {}, port {}, keys in Secret {}", kube::keyOf(object).str(),
                  text(destination_, "status", "rsync", "address"), number(22, destination_, "status", "rsync", "port"),
                  text(destination_, "status", "rsync", "sshKeys")));
  return {};
}

// What the documentation has people do: get -o yaml, drop five metadata fields, create in the source's namespace.
Result<void> Tour::copySecret() {
  GODWIT_ASSIGN(const auto source, manifest("30-source.yaml", "ReplicationSource"));
  const auto from = text(destination_, "metadata", "namespace"), to = text(source, "metadata", "namespace");
  const auto name = text(destination_, "status", "rsync", "sshKeys");
  GODWIT_ASSIGN(const auto secret, godwit_.api().get(resources::kSecrets, {from, name}));
  Json copy = {
      {"apiVersion", "v1"}, {"kind", "Secret"}, {"type", "Opaque"}, {"metadata", {{"name", name}, {"namespace", to}}}};
  if (const auto* data = find(secret, "data")) copy["data"] = *data;
  GODWIT_TRY(godwit_.api().create(resources::kSecrets, copy));
  say(fmt::format("Secret {} copied from namespace {} to {}", name, from, to));
  return {};
}

Result<void> Tour::makeSource() {
  GODWIT_ASSIGN(auto object, manifest("30-source.yaml", "ReplicationSource"));
  auto& rsync = object["spec"]["rsync"];
  rsync["address"] = text(destination_, "status", "rsync", "address");
  rsync["sshKeys"] = text(destination_, "status", "rsync", "sshKeys");
  if (const auto* port = find(destination_, "status", "rsync", "port")) rsync["port"] = *port;
  GODWIT_TRY(apply(object));
  say(fmt::format("Source {}: a clone of {} goes to {} at the schedule \"{}\"", kube::keyOf(object).str(),
                  text(object, "spec", "sourcePVC"), text(rsync, "address"),
                  text(object, "spec", "trigger", "schedule")));
  return {};
}

void Tour::drawProgress(const Json& source) {
  if (!terminal_.live()) return;
  const auto object = api::replicationFromJson(source);
  if (!object) return;
  const SystemClock clock;
  const auto row = statusRow(*object, clock.now(), "");
  if (row.state == "WaitingForSchedule") return terminal_.draw("   next sync " + row.next);
  const auto progress = moverProgress(godwit_.api(), *object);
  terminal_.draw("   " + (progress ? longProgress(*progress) : row.message));
}

Result<Json> Tour::followSource(std::function<bool(const Json&)> ready) {
  GODWIT_ASSIGN(const auto source, manifest("30-source.yaml", "ReplicationSource"));
  return follow(godwit_.api(), resources::kReplicationSources, kube::keyOf(source),
                {.ready = std::move(ready),
                 .tick = [this](const Json& seen) { drawProgress(seen); },
                 .obstacle = complaint,
                 .timeout = kPatience,
                 .stop = stop_});
}

Result<Json> Tour::awaitSync(TimePoint since) {
  // The start is computed: once a sync is over, only its end and how long it took remain in the status.
  return followSource([since](const Json& json) {
    const auto object = api::replicationFromJson(json);
    return object && object->status.lastSyncTime && object->status.lastSyncDuration && startOf(*object) >= since;
  });
}

TimePoint Tour::startOf(const api::Replication& synced) {
  return *synced.status.lastSyncTime - *synced.status.lastSyncDuration;
}

// A snapshot taken after the sync began can only be of that sync: the one before had ended by then.
Result<Json> Tour::awaitImage(TimePoint since) {
  const auto published = [&](const Json& d) {
    const auto name = text(d, "status", "latestImage", "name");
    if (name.empty()) return false;
    const auto snapshot = godwit_.api().get(resources::kVolumeSnapshots, {kube::keyOf(d).ns, name});
    return snapshot && api::metaFromJson(*snapshot).creationTimestamp >= floor<seconds>(since);
  };
  return follow(godwit_.api(), resources::kReplicationDestinations, kube::keyOf(destination_),
                {.ready = published, .obstacle = complaint, .timeout = minutes(2), .stop = stop_});
}

Result<void> Tour::reportSync(const char* which, const Json& source) {
  GODWIT_ASSIGN(const auto object, api::replicationFromJson(source));
  GODWIT_ASSIGN(destination_, awaitImage(startOf(object)));
  image_ = text(destination_, "status", "latestImage", "name");
  say(fmt::format("{} sync, {:.1f} s: {}", which, duration<double>(*object.status.lastSyncDuration).count(),
                  firstLine(text(source, "status", "latestMoverStatus", "logs"))));
  terminal_.line("   image " + image_);
  return {};
}

Result<void> Tour::firstSync() {
  GODWIT_ASSIGN(const auto source, awaitSync(TimePoint{}));
  return reportSync("First", source);
}

// Changes made while a sync runs may or may not be in its clone: nothing to show. So there is time before the next one.
Result<void> Tour::change() {
  const auto quiet = [](const Json& json) {
    const auto source = api::replicationFromJson(json);
    return source && !source->status.lastSyncStartTime && source->status.nextSyncTime &&
           *source->status.nextSyncTime > SystemClock().now() + seconds(5);
  };
  GODWIT_TRY(followSource(quiet));
  GODWIT_ASSIGN(const auto what, changeVolume(volume_));
  changed_ = SystemClock().now();
  say("Changed: " + what);
  return {};
}

Result<void> Tour::secondSync() {
  if (!terminal_.live()) terminal_.line("   waiting for the schedule");
  GODWIT_ASSIGN(const auto source, awaitSync(changed_));
  return reportSync("Second", source);
}

Result<void> Tour::compare() {
  const auto key = kube::keyOf(destination_);
  const auto latest = godwit_.kubeconfig().parent_path() / "images" / key.ns / key.name / "latest";
  GODWIT_ASSIGN(const auto snapshot, godwit_.api().get(resources::kVolumeSnapshots, {key.ns, image_}));
  const auto contentName = text(snapshot, "status", "boundVolumeSnapshotContentName");
  GODWIT_ASSIGN(const auto content, godwit_.api().get(resources::kVolumeSnapshotContents, {"", contentName}));
  GODWIT_TRY(awaitLink(latest, text(content, "status", "snapshotHandle")));
  terminal_.draw("   comparing file by file ...");
  GODWIT_ASSIGN(const auto differ, differences(volume_, latest));
  if (!differ.empty())
    return Error{Errc::Internal, "the newest image differs from the source:\n" + differ.substr(0, 2000)};
  say(fmt::format(
      "Equal: rsync -anAHXSc --delete --itemize-changes finds nothing to do between the source and {} ({} files)",
      latest.string(), grouped(measure(latest).entries)));
  return {};
}

}  // namespace godwit::cli
