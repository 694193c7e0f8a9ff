#include "sim/user.h"

#include <fmt/core.h>

#include <set>

#include "api/names.h"

namespace godwit::sim {

namespace r = kube::resources;
using namespace std::chrono_literals;

const char* User::oneOf(std::initializer_list<const char*> choices) {
  return choices.begin()[random_.below(choices.size())];
}

const kube::ResourceType& User::typeOf(const Pair& pair, const Side& side) const {
  return &side == &pair.source ? r::kReplicationSources : r::kReplicationDestinations;
}

void User::addPair() {
  addPair(oneOf({"Clone", "Clone", "Snapshot", "Direct"}), oneOf({"Snapshot", "Snapshot", "Direct"}), false);
  auto& pair = pairs_.back();
  retrigger(pair);
  if (chance(0.2)) pair.destination.spec["trigger"] = {{"schedule", "* * * * *"}};
  if (chance(0.2)) pair.destination.spec["rsync"]["cleanupTempPVC"] = true;
}

void User::addPair(const std::string& sourceMethod, const std::string& destinationMethod, bool manual) {
  Pair pair;
  pair.name = fmt::format("pair{}", pairs_.size());
  pair.source.ns = pair.name + "-here";
  pair.destination.ns = pair.name + "-there";
  pair.source.site = static_cast<int>(random_.below(sites_.size()));
  pair.destination.site = static_cast<int>(random_.below(sites_.size()));
  const bool near = pair.source.site == pair.destination.site;
  pair.source.spec = {{"sourcePVC", "data"}, {"rsync", {{"copyMethod", sourceMethod}}}};
  pair.destination.spec = {
      {"rsync", {{"copyMethod", destinationMethod}, {"serviceType", near ? "ClusterIP" : "LoadBalancer"}}}};
  chooseVolume(pair.destination.spec["rsync"]);
  if (manual) askByHand(pair);
  prepare(pair);
  pair.source.absent = Duration::max();  // until the destination can be told to it
  pairs_.push_back(std::move(pair));
  apply(pairs_.back(), pairs_.back().destination);
}

void User::chooseVolume(Json& rsync) {
  if (chance(0.5)) {
    rsync["destinationPVC"] = oneOf({"replica", "replica2"});
  } else {
    rsync.erase("destinationPVC");
    rsync["capacity"] = "1Gi";
    rsync["accessModes"] = {"ReadWriteOnce"};
  }
}

void User::prepare(Pair& pair) {
  for (const auto* side : {&pair.source, &pair.destination}) {
    const Json ns = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", side->ns}}}};
    (void)siteOf(*side).store().create(r::kNamespaces, ns).ok();
  }
  makeClaim(siteOf(pair.source), pair.source.ns, "data");
  for (const auto* name : {"replica", "replica2"}) makeClaim(siteOf(pair.destination), pair.destination.ns, name);
}

void User::makeClaim(Site& site, const std::string& ns, const std::string& name) {
  const Json claim = {
      {"apiVersion", "v1"},
      {"kind", "PersistentVolumeClaim"},
      {"metadata", {{"namespace", ns}, {"name", name}}},
      {"spec", {{"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}};
  (void)site.store().create(r::kPersistentVolumeClaims, claim).ok();
}

void User::apply(Pair& pair, Side& side) {
  const auto& type = typeOf(pair, side);
  auto& store = siteOf(side).store();
  const Json object = {{"apiVersion", type.apiVersion()},
                       {"kind", type.kind},
                       {"metadata", {{"namespace", side.ns}, {"name", pair.name}}},
                       {"spec", side.spec}};
  const auto created = store.create(type, object);
  if (created.is(Errc::AlreadyExists)) {
    (void)store
        .modify(type, {side.ns, pair.name},
                [&](Json& stored) -> Result<void> {
                  stored["spec"] = side.spec;
                  return {};
                })
        .ok();
  }
  side.absent.reset();
  dirty_ = true;
}

void User::remove(Pair& pair, Side& side) {
  (void)siteOf(side).store().remove(typeOf(pair, side), {side.ns, pair.name}, {}).ok();
}

bool User::comeBack(Pair& pair, Side& side) {
  if (!side.absent || *side.absent > clock_.monotonic()) return false;
  trace(fmt::format("user creates {} {} again", typeOf(pair, side).kind, pair.name));
  apply(pair, side);
  return true;
}

bool User::tend() {
  bool any = false;
  for (auto& pair : pairs_) any |= comeBack(pair, pair.source) || comeBack(pair, pair.destination);
  if (!std::exchange(dirty_, false)) return any;
  for (auto& pair : pairs_) any |= introduce(pair);
  return any;
}

bool User::introduce(Pair& pair) {
  auto& there = siteOf(pair.destination).store();
  auto& here = siteOf(pair.source).store();
  const auto object = there.get(r::kReplicationDestinations, {pair.destination.ns, pair.name});
  if (!object.ok()) return false;
  const auto address = text(*object, "status", "rsync", "address"), keys = text(*object, "status", "rsync", "sshKeys");
  if (address.empty() || keys.empty()) return false;
  const auto secret = there.get(r::kSecrets, {pair.destination.ns, keys});
  if (!secret.ok()) return false;
  const Json copy = {{"apiVersion", "v1"},
                     {"kind", "Secret"},
                     {"metadata", {{"namespace", pair.source.ns}, {"name", "copied"}}},
                     {"data", *find(*secret, "data")}};
  if (here.create(r::kSecrets, copy).is(Errc::AlreadyExists)) {
    (void)here.patch(r::kSecrets, {pair.source.ns, "copied"}, {{"data", copy["data"]}}).ok();
  }
  Json& rsync = pair.source.spec["rsync"];
  const Json before = rsync;
  rsync["address"] = address;
  rsync["sshKeys"] = "copied";
  rsync["port"] = number(number(22, *object, "spec", "rsync", "port"), *object, "status", "rsync", "port");
  const bool first = pair.source.absent == Duration::max();
  if (!first && before == rsync) return false;
  if (first || !pair.source.absent) apply(pair, pair.source);
  return true;
}

bool User::write() {
  for (auto& pair : pairs_) {
    auto* volume = siteOf(pair.source).claimed({pair.source.ns, "data"});
    if (!volume) continue;
    volume->origin = pair.name;
    ++volume->writes;
    if (pair.gated) gateCopies(pair, true);
  }
  return true;
}

// A copy is asked for by a new value; whether copies wait for one at all is another annotation.
void User::gateCopies(Pair& pair, bool gated) {
  pair.gated = gated;
  Json annotations = {{"volsync.backube/use-copy-trigger", nullptr}};
  if (gated)
    annotations = {{"volsync.backube/use-copy-trigger", ""},
                   {"volsync.backube/copy-trigger", fmt::format("{}", ++pair.manual)}};
  (void)siteOf(pair.source)
      .store()
      .patch(r::kPersistentVolumeClaims, {pair.source.ns, "data"}, {{"metadata", {{"annotations", annotations}}}})
      .ok();
}

void User::moveService(Pair& pair) {
  auto& rsync = pair.destination.spec["rsync"];
  const bool near = pair.source.site == pair.destination.site;
  rsync["serviceType"] = near ? oneOf({"ClusterIP", "LoadBalancer"}) : "LoadBalancer";
  rsync["port"] = chance(0.5) ? 22 : 2222;
}

void User::askByHand(Pair& pair) {
  pair.source.spec["trigger"] = {{"manual", fmt::format("{}", ++pair.manual)}};
}

void User::retrigger(Pair& pair) {
  Json& spec = pair.source.spec;
  switch (random_.below(4)) {
    case 0:
      spec["trigger"] = {{"schedule", oneOf({"* * * * *", "*/2 * * * *", "@every 45s"})}};
      break;
    case 1:
      askByHand(pair);
      break;
    default:
      spec.erase("trigger");
  }
}

void User::deleteJob(Pair& pair, Side& side) {
  const auto role = &side == &pair.source ? api::Role::Source : api::Role::Destination;
  (void)siteOf(side).store().remove(r::kJobs, {side.ns, api::jobName(role, pair.name)}, {}).ok();
}

void User::meddle() {
  auto& pair = pairs_[random_.below(pairs_.size())];
  auto& side = chance(0.5) ? pair.source : pair.destination;
  const bool source = &side == &pair.source;
  if (side.absent) return;
  const auto what = random_.below(13);
  switch (what) {
    case 0:
    case 1:
      side.spec["paused"] = !truth(side.spec, "paused");
      break;
    case 2:
      side.spec["rsync"]["copyMethod"] =
          source ? oneOf({"Clone", "Snapshot", "Direct"}) : oneOf({"Snapshot", "Direct"});
      break;
    case 3:
    case 4:
      retrigger(pair);
      break;
    case 5:
      deleteJob(pair, side);
      break;
    case 6:
    case 7:
      remove(pair, side);
      side.absent = clock_.monotonic() + Duration(chance(0.5) ? 0ms : std::chrono::milliseconds(random_.below(30000)));
      break;
    case 8:
    case 9:
      if (!source) chooseVolume(side.spec["rsync"]);
      break;
    case 10:
      if (!source) moveService(pair);
      break;
    case 11:
      if (!source) side.spec["rsync"]["cleanupTempPVC"] = !truth(side.spec, "rsync", "cleanupTempPVC");
      break;
    case 12:
      gateCopies(pair, !pair.gated);
      break;
  }
  trace(fmt::format("user meddles ({}) with {} {}: {}", what, typeOf(pair, side).kind, pair.name, side.spec.dump()));
  if (!side.absent && what != 5) apply(pair, what == 3 || what == 4 ? pair.source : side);
}

std::optional<Duration> User::nextDelay() const {
  std::optional<Duration> delay;
  for (const auto& pair : pairs_) {
    for (const auto* side : {&pair.source, &pair.destination}) {
      if (!side->absent || *side->absent == Duration::max()) continue;
      const auto left = std::max(Duration::zero(), *side->absent - clock_.monotonic());
      delay = std::min(delay.value_or(left), left);
    }
  }
  return delay;
}

void User::calm() {
  for (auto& pair : pairs_) {
    pair.source.spec.erase("paused");
    pair.destination.spec.erase("paused");
    pair.destination.spec.erase("trigger");
    if (pair.gated) gateCopies(pair, false);
    if (find(pair.source.spec, "trigger", "manual")) askByHand(pair);
    if (pair.source.absent != Duration::max()) apply(pair, pair.source);
    apply(pair, pair.destination);
  }
}

std::string User::unsettled() {
  for (auto& pair : pairs_) {
    if (auto why = unsettled(pair); !why.empty()) return pair.name + ": " + why;
  }
  return {};
}

std::string User::unsettled(Pair& pair) {
  const auto source = siteOf(pair.source).store().get(r::kReplicationSources, {pair.source.ns, pair.name});
  const auto destination =
      siteOf(pair.destination).store().get(r::kReplicationDestinations, {pair.destination.ns, pair.name});
  if (!source.ok() || !destination.ok())
    return "not both ends are there: " + (destination.ok() ? destination->dump()
                                          : source.ok()    ? source->dump()
                                                           : "neither");
  const auto name = text(*destination, "status", "latestImage", "name");
  const kube::NamespacedName image{pair.destination.ns, name};
  auto& there = siteOf(pair.destination);
  const auto* replica = text(*destination, "status", "latestImage", "kind") == "VolumeSnapshot" ? there.taken(image)
                                                                                                : there.claimed(image);
  const auto* original = siteOf(pair.source).claimed({pair.source.ns, "data"});
  if (!original) return "its source volume is not bound";
  const auto say = [&](const std::string& what) {
    return fmt::format("{}\n  source {}\n  destination {}", what, source->dump(), destination->dump());
  };
  if (!replica) return say("no image");
  if (replica->origin != original->origin || replica->writes != original->writes || replica->torn) {
    return say(fmt::format("the image holds {} writes, the source {}", replica->writes, original->writes));
  }
  const auto manual = text(pair.source.spec, "trigger", "manual");
  if (text(*source, "status", "lastManualSync") != manual) return say("the manual trigger is not answered");
  if (text(*source, "status", "lastSyncTime").empty()) return say("the source never finished");
  return {};
}

std::string User::clutter() {
  std::string out;
  for (auto& pair : pairs_) out += clutter(pair);
  return out;
}

// Between iterations of a source nothing is left of the last one; of a destination's images only the published one is,
// and the one in the making.
std::string User::clutter(Pair& pair) {
  std::string out;
  for (auto* side : {&pair.source, &pair.destination}) {
    const bool source = side == &pair.source;
    auto& store = siteOf(*side).store();
    const auto object = store.get(typeOf(pair, *side), {side->ns, pair.name});
    if (!object.ok()) continue;
    const auto uid = text(*object, "metadata", "uid"), published = text(*object, "status", "latestImage", "name");
    const bool idle = text(*object, "status", "lastSyncStartTime").empty();
    std::set<std::string> inTheMaking;
    const auto claims = store.list(r::kPersistentVolumeClaims, {.ns = side->ns});
    for (const auto& claim : claims->items)
      inTheMaking.insert(text(claim, "metadata", "annotations", "volsync.backube/snapname"));
    for (const auto* type : {&r::kJobs, &r::kPersistentVolumeClaims, &r::kVolumeSnapshots}) {
      const auto all = store.list(*type, {.ns = side->ns});
      for (const auto& child : all->items) {
        const auto meta = api::metaFromJson(child);
        const auto* owner = meta.controller();
        if (!owner || owner->uid != uid || meta.deletionTimestamp) continue;
        const bool ofIteration = idle && meta.labels.contains("volsync.backube/cleanup");
        const bool oldImage = !source && type == &r::kVolumeSnapshots && meta.name != published &&
                              (idle || !inTheMaking.contains(meta.name));
        if (ofIteration || oldImage)
          out += fmt::format("\n  {} {}:{} of {}", type->kind, side->site, kube::keyOf(child).str(), object->dump());
      }
    }
  }
  return out;
}

void User::leave() {
  for (auto& pair : pairs_) {
    remove(pair, pair.source);
    remove(pair, pair.destination);
  }
}

std::string User::leftovers() {
  std::string out;
  for (auto* site : sites_) {
    for (const auto* type :
         {&r::kJobs, &r::kPods, &r::kServices, &r::kSecrets, &r::kServiceAccounts, &r::kRoles, &r::kRoleBindings,
          &r::kVolumeSnapshots, &r::kVolumeSnapshotContents, &r::kPersistentVolumeClaims, &r::kPersistentVolumes}) {
      const auto all = site->store().list(*type, {});
      if (!all.ok()) continue;
      for (const auto& object : all->items) {
        const auto name = text(object, "metadata", "name"), of = text(object, "spec", "claimRef", "name");
        const bool theirs = name == "data" || name.starts_with("replica") || name == "copied" || name == "default" ||
                            of == "data" || of.starts_with("replica");
        if (!theirs)
          out += fmt::format("\n  {} {}:{}: {}", type->kind, site->number, kube::keyOf(object).str(), object.dump());
      }
    }
    const auto claims = site->store().list(r::kPersistentVolumeClaims, {});
    const auto volumes = site->volumes.all().size();
    if (claims.ok() && volumes != claims->items.size())
      out += fmt::format("\n  {} volumes or snapshots on disk {}", volumes, site->number);
  }
  return out;
}

}  // namespace godwit::sim
