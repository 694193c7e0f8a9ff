// The built-in kinds as Godwit reads them: typed and trimmed. Written objects are JSON (see replication/plan.h); these
// views never go back to the API server, so they can leave out everything nobody reads. Tolerant readers: what is
// missing or of a wrong type stays at its default.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"

namespace godwit::api {

struct Pvc {
  ObjectMeta meta;
  std::string storageClassName, volumeName, volumeMode = "Filesystem";
  std::vector<std::string> accessModes;
  std::string requested;   // spec.resources.requests.storage, quantity
  std::string capacity;    // status.capacity.storage
  std::string phase;       // Pending, Bound, Lost
  std::string filledFrom;  // the ReplicationDestination that spec.dataSourceRef names; empty when it names none
  std::string snapshot;    // the VolumeSnapshot that spec.dataSource names; empty when it names none
};
Pvc pvcFromJson(const Json& object);

struct VolumeSnapshot {
  ObjectMeta meta;
  std::string sourcePvc;    // spec.source.persistentVolumeClaimName
  std::string className;    // spec.volumeSnapshotClassName
  std::string contentName;  // status.boundVolumeSnapshotContentName
  std::string restoreSize;  // status.restoreSize
  bool readyToUse = false;
  std::string error;  // status.error.message
};
VolumeSnapshot snapshotFromJson(const Json& object);

struct Job {
  ObjectMeta meta;
  std::int64_t parallelism = 1, backoffLimit = 6;
  std::int64_t active = 0, succeeded = 0, failed = 0;
  std::optional<TimePoint> startTime, completionTime;
  bool complete = false;       // condition Complete=True
  bool failedForGood = false;  // condition Failed=True
  std::string failureMessage;
  std::string dataClaim;  // the first PVC that its pods mount
  std::string node;       // the only one that its pods may run on (kubernetes.io/hostname); empty: anywhere
};
Job jobFromJson(const Json& object);

struct Pod {
  ObjectMeta meta;
  std::string phase, nodeName, ip;
  std::vector<std::string> claims;  // PVC names its volumes use
  Json tolerations;                 // spec.tolerations as given
  std::string terminationMessage;   // of the first container that has ended
  std::int64_t exitCode = 0;
  bool terminated = false;
  std::string waitingReason, waitingMessage;  // first container's state.waiting (ImagePullBackOff, ...)
  std::string unschedulable;                  // message of PodScheduled=False
  std::optional<TimePoint> startTime, finishTime;
};
Pod podFromJson(const Json& object);

struct Service {
  ObjectMeta meta;
  std::string type = "ClusterIP", clusterIP;
  std::vector<std::string> ingress;     // status.loadBalancer.ingress[]: hostname or ip
  std::int64_t port = 0, nodePort = 0;  // of the first port, as its target
  std::string targetPort;               // a number or a name
  StringMap selector;
};
Service serviceFromJson(const Json& object);

struct Secret {
  ObjectMeta meta;
  StringMap data;  // decoded from base64; what does not decode is left out
};
Secret secretFromJson(const Json& object);

// RFC 4648 with padding. decode: line breaks are skipped, as Kubernetes does; Invalid on anything else.
std::string base64Encode(std::string_view bytes);
Result<std::string> base64Decode(std::string_view text);

}  // namespace godwit::api
