#include "replication/placement.h"

#include "api/names.h"

namespace godwit::replication {

namespace {

constexpr Duration kPatience = std::chrono::seconds(10);
constexpr Duration kLookAgain = std::chrono::minutes(1);  // pods of others are not watched

bool usesVolume(const Pass& pass, const api::Pod& pod) {
  const bool uses = std::find(pod.claims.begin(), pod.claims.end(), dataVolume(pass.object)) != pod.claims.end();
  return uses && alive(pod) && !ownMover(pass, pod);
}

// The volume follows those that stay, not one that leaves and may for ever be about to on a node that is dead.
int weight(const api::Pod& pod) {
  return (pod.meta.deletionTimestamp ? 0 : 2) + (pod.phase == "Running" ? 1 : 0);
}

bool waitsForNode(const api::Pod& pod) {
  return pod.phase == "Pending" && pod.nodeName.empty() && !pod.unschedulable.empty();
}

// A user of the volume that has no node yet decides where the volume goes: a mover that ran ahead would hold it
// elsewhere.
bool undecided(const Pass& pass, const std::vector<api::Pod>& pods) {
  bool waits = false;
  for (const auto& pod : pods) {
    if (!usesVolume(pass, pod)) continue;
    if (!pod.nodeName.empty() && !pod.meta.deletionTimestamp) return false;
    waits = waits || pod.nodeName.empty();
  }
  return waits;
}

}  // namespace

bool ownMover(const Pass& pass, const api::Pod& pod) {
  return pod.meta.label(kComponentLabel) == kComponentValue &&
         pod.meta.label("app.kubernetes.io/name") == api::podNameLabel(pass.object.role, pass.object.meta.name);
}

bool alive(const api::Pod& pod) {
  return pod.phase != "Succeeded" && pod.phase != "Failed";
}

Result<std::vector<api::Pod>> podsAround(Pass& pass, Freshness freshness) {
  // Those that have ended hold nothing, and a namespace may be full of them.
  kube::ListOptions options{.ns = pass.object.meta.ns,
                            .fieldSelector = "status.phase!=Succeeded,status.phase!=Failed",
                            .mayLag = freshness == Freshness::MayLag};
  if (!pass.object.spec.rsync->direct()) {
    options.labelSelector = "app.kubernetes.io/name=" + api::podNameLabel(pass.object.role, pass.object.meta.name);
  }
  const auto pods = pass.doors.api.list(kube::resources::kPods, options);
  if (!pods) return pods.error();
  std::vector<api::Pod> out;
  for (const auto& item : pods->items) out.push_back(api::podFromJson(item));
  return out;
}

Placement placement(const Pass& pass, const std::vector<api::Pod>& pods, const std::string& current) {
  if (!pass.object.spec.rsync->direct()) return {};
  const api::Pod* best = nullptr;
  for (const auto& pod : pods) {
    if (!usesVolume(pass, pod) || pod.nodeName.empty()) continue;
    const bool equal = best && weight(pod) == weight(*best);
    if (!best || weight(pod) > weight(*best) || (equal && pod.nodeName == current)) best = &pod;
  }
  return best ? Placement{best->nodeName, best->tolerations} : Placement{};
}

Result<bool> misplaced(Pass& pass, const api::Job& job) {
  const auto& mover = pass.world.pod;
  if (!pass.object.spec.rsync->direct() || job.meta.annotation(kPodHashAnnotation).empty()) return false;  // VolSync's
  if (!mover || !waitsForNode(*mover) || !pass.overdue(mover->meta, kPatience)) return false;
  pass.wake(pass.world.now + kLookAgain);
  GODWIT_ASSIGN(const auto pods, podsAround(pass, Freshness::Now));
  const bool runs = std::any_of(pods.begin(), pods.end(),
                                [&](const auto& pod) { return ownedBy(pod.meta, job.meta) && !waitsForNode(pod); });
  if (runs || undecided(pass, pods)) return false;
  return placement(pass, pods, job.node).node != job.node;
}

}  // namespace godwit::replication
