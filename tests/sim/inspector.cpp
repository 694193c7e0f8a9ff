#include "sim/inspector.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace godwit::sim {

namespace r = kube::resources;
using api::Role;

Inspector::Inspector(Site& site, std::function<void(const std::string&)> complain)
    : site_(site), complain_(std::move(complain)) {
  for (const auto* type :
       {&r::kReplicationSources, &r::kReplicationDestinations, &r::kVolumeSnapshots, &r::kPersistentVolumeClaims}) {
    auto watch = site.store().watch(*type, {});
    if (watch.ok()) watches_.emplace_back(type, std::move(*watch));
  }
}

void Inspector::look() {
  struct Seen {
    std::int64_t version;
    const kube::ResourceType* type;
    kube::WatchEvent event;
  };
  std::vector<Seen> all;
  for (auto& [type, watch] : watches_) {
    for (;;) {
      auto event = watch->next(std::chrono::milliseconds(0));
      if (!event.ok()) return complain_("the inspector's watch broke: " + event.error().message);
      if (!*event) break;
      if ((*event)->type == kube::WatchEvent::Type::Bookmark) continue;
      const auto version = std::stoll(text((*event)->object, "metadata", "resourceVersion"));
      all.push_back({version, type, std::move(**event)});
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.version < b.version; });
  for (const auto& [version, type, event] : all) {
    if (type == &r::kVolumeSnapshots || type == &r::kPersistentVolumeClaims) {
      const bool goes =
          event.type == kube::WatchEvent::Type::Deleted || find(event.object, "metadata", "deletionTimestamp");
      if (goes) going(type->kind, api::metaFromJson(event.object));
    } else {
      replication(type == &r::kReplicationSources ? Role::Source : Role::Destination, event);
    }
  }
}

void Inspector::complainAbout(const api::Replication& object, const std::string& what) {
  complain_(fmt::format("{} {}:{}: {}", api::kindOf(object.role), site_.number, object.meta.key().str(), what));
}

void Inspector::replication(Role role, const kube::WatchEvent& event) {
  const Key key{role, kube::keyOf(event.object)};
  if (role == Role::Destination) changed();
  if (event.type == kube::WatchEvent::Type::Deleted) {
    published_.erase(text(event.object, "metadata", "uid"));
    seen_.erase(key);
    return;
  }
  auto parsed = api::replicationFromJson(event.object);
  if (!parsed.ok()) return complain_(key.second.str() + ": " + parsed.error().message);
  const auto it = seen_.find(key);
  const auto* before = it == seen_.end() || it->second.meta.uid != parsed->meta.uid ? nullptr : &it->second;
  conditions(*parsed);
  progress(before, *parsed);
  if (role == Role::Destination) image(before, *parsed);
  seen_[key] = std::move(*parsed);
}

void Inspector::conditions(const api::Replication& object) {
  static const std::set<std::string> kReasons = {"SyncInProgress", "WaitingForSchedule", "WaitingForManual",
                                                 "CleaningUp", "Error"};
  std::set<std::string> types;
  for (const auto& condition : object.status.conditions) {
    const auto malformed = [&](const char* why) {
      complainAbout(object, fmt::format("condition {}: {}", condition.type, why));
    };
    if (!types.insert(condition.type).second) malformed("twice");
    if (condition.status != "True" && condition.status != "False" && condition.status != "Unknown") malformed("status");
    if (condition.reason.empty() || condition.message.empty()) malformed("no reason or no message");
    if (!condition.lastTransitionTime) malformed("no lastTransitionTime");
    if (condition.type != "Synchronizing") continue;
    if (!kReasons.contains(condition.reason)) malformed(condition.reason.c_str());
    if ((condition.status == "True") != (condition.reason == "SyncInProgress")) malformed("status and reason disagree");
    const bool syncing = object.status.lastSyncStartTime.has_value();
    if (condition.status == "True" && !syncing) malformed("in progress without lastSyncStartTime");
    if (syncing && condition.status != "True" && condition.reason != "Error") malformed("lastSyncStartTime while idle");
  }
}

void Inspector::progress(const api::Replication* before, const api::Replication& now) {
  if (!before) return;
  const auto& was = before->status;
  const auto& is = now.status;
  if (was.lastSyncStartTime && is.lastSyncStartTime && *was.lastSyncStartTime != *is.lastSyncStartTime) {
    complainAbout(now, "an iteration began before the previous one ended");
  }
  if (was.lastSyncTime && (!is.lastSyncTime || *is.lastSyncTime < *was.lastSyncTime)) {
    complainAbout(now, "lastSyncTime went back");
  }
  if (was.lastSyncTime != is.lastSyncTime && is.lastSyncStartTime) complainAbout(now, "finished, yet in progress");
  const bool finished = was.lastSyncStartTime && !is.lastSyncStartTime;
  if (finished && !is.lastSyncTime) complainAbout(now, "an iteration ended without a trace");
  if (finished && now.role == Role::Source) ++iterations_;
}

void Inspector::image(const api::Replication* before, const api::Replication& now) {
  const auto& latest = now.status.latestImage;
  if (!latest) {
    if (before && before->status.latestImage) complainAbout(now, "latestImage went away");
    return;
  }
  const bool finished = !before || before->status.lastSyncTime != now.status.lastSyncTime;
  if (before && before->status.latestImage == latest && !finished) return;
  const kube::NamespacedName key{now.meta.ns, latest->name};
  const auto* content = latest->kind == "VolumeSnapshot" ? site_.taken(key) : site_.claimed(key);
  if (!content) return complainAbout(now, "latestImage " + latest->name + " does not exist or is not ready");
  if (content->torn) complainAbout(now, "latestImage " + latest->name + " is torn");
  auto& last = published_[now.meta.uid];
  if (!content->received) complainAbout(now, "latestImage " + latest->name + " holds nothing");
  if (!last.origin.empty() && content->origin != last.origin)
    complainAbout(now, "latestImage holds another source's data");
  if (content->writes < last.writes) {
    complainAbout(now, fmt::format("latestImage {} holds {} writes, the one before held {}", latest->name,
                                   content->writes, last.writes));
  }
  last = {content->origin, content->writes};
}

// Nobody but an operator or the garbage collector deletes one here. A claim that the user made is nobody's child, and
// may be the image of a destination all the same.
void Inspector::going(std::string_view kind, const api::ObjectMeta& meta) {
  const auto* owner = meta.controller();
  for (const auto& [key, object] : seen_) {
    if (key.first != Role::Destination || object.meta.ns != meta.ns || object.meta.deletionTimestamp) continue;
    if (owner && owner->uid != object.meta.uid) continue;
    const auto& latest = object.status.latestImage;
    if (latest && latest->kind == kind && latest->name == meta.name)
      complainAbout(object, "the image " + meta.name + " goes before its successor is published");
  }
}

void Inspector::started(const Mover& mover) {
  const auto slash = mover.pod.find('/'), end = mover.pod.rfind('/');
  const kube::NamespacedName name{mover.pod.substr(0, slash), mover.pod.substr(slash + 1, end - slash - 1)};
  const auto pod = site_.store().get(r::kPods, name);
  const auto podMeta = pod.ok() ? api::metaFromJson(*pod) : api::ObjectMeta{};
  const auto* job = podMeta.controller();
  const auto jobObject = job ? site_.store().get(r::kJobs, {name.ns, job->name}) : Result<Json>(Error{});
  const auto jobMeta = jobObject.ok() ? api::metaFromJson(*jobObject) : api::ObjectMeta{};
  const auto* owner = jobMeta.controller();
  if (!owner || jobMeta.deletionTimestamp) return;
  const auto role = owner->kind == api::kindOf(Role::Source) ? Role::Source : Role::Destination;
  const auto object = site_.store().get(r::of(role), {name.ns, owner->name});
  if (!object.ok() || text(*object, "metadata", "uid") != owner->uid) return;
  if (find(*object, "metadata", "deletionTimestamp")) return;
  if (text(*object, "status", "lastSyncStartTime").empty())
    complain_("mover " + mover.pod + " starts outside an iteration");
}

}  // namespace godwit::sim
