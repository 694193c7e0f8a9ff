#include "api/core.h"

#include "api/read.h"
#include "api/replication.h"

namespace godwit::api {

namespace {

const Json& at(const Json& object, const char* key) {
  static const Json none = Json::object();
  const Json* value = find(object, key);
  return value ? *value : none;
}

// The condition of that type, or nullptr.
const Json* conditionOf(const Json& status, std::string_view type) {
  const Json* found = nullptr;
  forEach(status, "conditions", [&](const Json& condition) {
    if (text(condition, "type") == type) found = &condition;
  });
  return found;
}

// A reference into another namespace is not ours to follow: nobody has granted it.
std::string destinationNamedBy(const Json& dataSourceRef) {
  if (text(dataSourceRef, "apiGroup") != kGroup || text(dataSourceRef, "kind") != kindOf(Role::Destination)) return {};
  return text(dataSourceRef, "namespace").empty() ? text(dataSourceRef, "name") : "";
}

bool isTrue(const Json* condition) {
  return condition && text(*condition, "status") == "True";
}

}  // namespace

Pvc pvcFromJson(const Json& object) {
  Pvc pvc;
  const Json &spec = at(object, "spec"), &status = at(object, "status");
  pvc.meta = metaFromJson(object);
  pvc.storageClassName = text(spec, "storageClassName");
  pvc.volumeName = text(spec, "volumeName");
  if (const auto mode = text(spec, "volumeMode"); !mode.empty()) pvc.volumeMode = mode;
  pvc.accessModes = stringList(spec, "accessModes");
  pvc.requested = quantityAt(at(at(spec, "resources"), "requests"), "storage");
  pvc.capacity = quantityAt(at(status, "capacity"), "storage");
  pvc.phase = text(status, "phase");
  pvc.filledFrom = destinationNamedBy(at(spec, "dataSourceRef"));
  const Json& source = at(spec, "dataSource");
  if (text(source, "kind") == "VolumeSnapshot") pvc.snapshot = text(source, "name");
  return pvc;
}

VolumeSnapshot snapshotFromJson(const Json& object) {
  VolumeSnapshot snapshot;
  const Json &spec = at(object, "spec"), &status = at(object, "status");
  snapshot.meta = metaFromJson(object);
  snapshot.sourcePvc = text(spec, "source", "persistentVolumeClaimName");
  snapshot.className = text(spec, "volumeSnapshotClassName");
  snapshot.contentName = text(status, "boundVolumeSnapshotContentName");
  snapshot.restoreSize = quantityAt(status, "restoreSize");
  snapshot.readyToUse = truth(status, "readyToUse");
  snapshot.error = text(status, "error", "message");
  return snapshot;
}

Job jobFromJson(const Json& object) {
  Job job;
  const Json &spec = at(object, "spec"), &status = at(object, "status");
  job.meta = metaFromJson(object);
  job.parallelism = number(1, spec, "parallelism");
  job.backoffLimit = number(6, spec, "backoffLimit");
  job.active = number(0, status, "active");
  job.succeeded = number(0, status, "succeeded");
  job.failed = number(0, status, "failed");
  job.startTime = timeAt(status, "startTime");
  job.completionTime = timeAt(status, "completionTime");
  job.complete = isTrue(conditionOf(status, "Complete"));
  const Json* failed = conditionOf(status, "Failed");
  job.failedForGood = isTrue(failed);
  if (job.failedForGood) job.failureMessage = text(*failed, "message");
  const Json& pods = at(at(spec, "template"), "spec");
  job.node = text(pods, "nodeSelector", "kubernetes.io/hostname");
  forEach(pods, "volumes", [&](const Json& volume) {
    if (job.dataClaim.empty()) job.dataClaim = text(volume, "persistentVolumeClaim", "claimName");
  });
  return job;
}

static void readContainerStates(const Json& status, Pod& pod) {
  bool first = true;
  forEach(status, "containerStatuses", [&](const Json& container) {
    const Json& state = at(container, "state");
    if (std::exchange(first, false)) {
      pod.waitingReason = text(state, "waiting", "reason");
      pod.waitingMessage = text(state, "waiting", "message");
    }
    const Json* ended = find(state, "terminated");
    if (pod.terminated || !ended || !ended->is_object()) return;
    pod.terminated = true;
    pod.exitCode = number(0, *ended, "exitCode");
    pod.terminationMessage = text(*ended, "message");
    pod.finishTime = timeAt(*ended, "finishedAt");
  });
}

Pod podFromJson(const Json& object) {
  Pod pod;
  const Json &spec = at(object, "spec"), &status = at(object, "status");
  pod.meta = metaFromJson(object);
  pod.phase = text(status, "phase");
  pod.nodeName = text(spec, "nodeName");
  pod.ip = text(status, "podIP");
  forEach(spec, "volumes", [&](const Json& volume) {
    auto claim = text(volume, "persistentVolumeClaim", "claimName");
    if (!claim.empty()) pod.claims.push_back(std::move(claim));
  });
  pod.tolerations = at(spec, "tolerations");
  if (!pod.tolerations.is_array()) pod.tolerations = Json::array();
  readContainerStates(status, pod);
  const Json* scheduled = conditionOf(status, "PodScheduled");
  if (scheduled && text(*scheduled, "status") == "False") pod.unschedulable = text(*scheduled, "message");
  pod.startTime = timeAt(status, "startTime");
  return pod;
}

Service serviceFromJson(const Json& object) {
  Service service;
  const Json& spec = at(object, "spec");
  service.meta = metaFromJson(object);
  if (const auto type = text(spec, "type"); !type.empty()) service.type = type;
  service.clusterIP = text(spec, "clusterIP");
  bool first = true;
  forEach(spec, "ports", [&](const Json& port) {
    if (!std::exchange(first, false)) return;
    service.port = number(0, port, "port");
    service.nodePort = number(0, port, "nodePort");
    const Json* target = find(port, "targetPort");
    if (target) service.targetPort = target->is_string() ? target->get<std::string>() : dumpJson(*target);
  });
  service.selector = stringMap(spec, "selector");
  forEach(at(at(object, "status"), "loadBalancer"), "ingress", [&](const Json& ingress) {
    auto host = text(ingress, "hostname");
    if (host.empty()) host = text(ingress, "ip");
    if (!host.empty()) service.ingress.push_back(std::move(host));
  });
  return service;
}

Secret secretFromJson(const Json& object) {
  Secret secret;
  secret.meta = metaFromJson(object);
  for (const auto& [key, encoded] : stringMap(object, "data"))
    if (auto bytes = base64Decode(encoded)) secret.data.emplace(key, *std::move(bytes));
  return secret;
}

}  // namespace godwit::api
