// ReplicationSource and ReplicationDestination (volsync.backube/v1alpha1) as one plain struct: what differs is `role`.
// Contract section 1.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"

namespace godwit::api {

enum class Role { Source, Destination };
const char* name(Role role);    // "source", "destination": the metrics' label
const char* kindOf(Role role);  // "ReplicationSource", "ReplicationDestination"

inline constexpr const char* kGroup = "volsync.backube";
inline constexpr const char* kApiVersion = "volsync.backube/v1alpha1";

struct Trigger {
  std::optional<std::string> schedule;  // cron, unparsed; see api/cron.h
  std::optional<std::string> manual;    // wins over schedule
};

// The union of both kinds' `spec.rsync`. Enumerations stay text as stored; validate() says what is wrong with them.
struct RsyncSpec {
  std::optional<std::string> copyMethod;  // Clone, Snapshot, Direct, None (= Direct)
  std::optional<std::string> capacity;    // quantity
  std::optional<std::string> storageClassName;
  std::vector<std::string> accessModes;
  std::optional<std::string> volumeSnapshotClassName;
  std::optional<std::string> sshKeys;
  std::optional<std::string> serviceType;  // ClusterIP, LoadBalancer, NodePort
  std::optional<std::string> address;
  std::optional<std::int64_t> port;
  std::optional<std::string> path;
  std::optional<std::string> sshUser;
  std::optional<std::string> moverServiceAccount;
  StringMap moverPodLabels;
  Json moverResources;  // core/v1 ResourceRequirements as given, null when absent
  // destination only
  std::optional<std::string> destinationPVC;
  std::optional<std::string> volumeMode;  // Filesystem, Block
  std::optional<StringMap> serviceAnnotations;
  bool cleanupTempPVC = false;

  bool direct() const { return copyMethod == "Direct" || copyMethod == "None"; }
};

struct ReplicationSpec {
  std::string sourcePVC;  // source only
  std::optional<Trigger> trigger;
  bool paused = false;
  std::optional<RsyncSpec> rsync;
  bool external = false;  // spec.external is there: not ours
  std::vector<std::string>
      foreignMovers;  // stanzas of other movers that are there: rsyncTLS, rclone, restic, syncthing
};

struct Condition {
  std::string type, status, reason, message;
  std::optional<TimePoint> lastTransitionTime;
  std::int64_t observedGeneration = 0;
  bool operator==(const Condition&) const = default;
};

struct MoverStatus {
  std::string result;  // Successful, Failed
  std::string logs;
  bool operator==(const MoverStatus&) const = default;
};

struct RsyncStatus {
  std::optional<std::string> address;
  std::optional<std::int64_t> port;
  std::optional<std::string> sshKeys;
  bool operator==(const RsyncStatus&) const = default;
};

struct ImageReference {  // TypedLocalObjectReference
  std::string apiGroup;  // "snapshot.storage.k8s.io" or "" (core)
  std::string kind;      // VolumeSnapshot or PersistentVolumeClaim
  std::string name;
  bool operator==(const ImageReference&) const = default;
};

struct ReplicationStatus {
  std::optional<TimePoint> lastSyncTime, lastSyncStartTime, nextSyncTime;
  std::optional<Duration> lastSyncDuration;
  std::optional<std::string> lastManualSync;
  std::optional<MoverStatus> latestMoverStatus;
  std::optional<RsyncStatus> rsync;
  std::optional<ImageReference> latestImage;  // destination only
  std::vector<Condition> conditions;

  const Condition* condition(std::string_view type) const;
  // Adds or replaces by type; lastTransitionTime moves to `now` only when `status` changes.
  void setCondition(Condition condition, TimePoint now);
  bool operator==(const ReplicationStatus&) const = default;
};

struct Replication {
  Role role = Role::Source;
  ObjectMeta meta;
  ReplicationSpec spec;
  ReplicationStatus status;
};

// Invalid with the field's path ("spec.trigger.schedule: ...") where a type is wrong. Unknown fields are ignored here
// (the API server prunes or warns). Null counts as absent.
Result<Replication> replicationFromJson(const Json& object);
Json toJson(const Replication& object);        // the whole object, as kubectl apply would take it
Json toJson(const ReplicationStatus& status);  // the "status" value

// Merge patch that turns `from` into `to`: changed fields only, null for those that went away. Empty object: no change.
Json statusPatch(const ReplicationStatus& from, const ReplicationStatus& to);

struct FieldError {
  std::string field;    // "spec.rsync.copyMethod"
  std::string message;  // what is wrong and what would be right
};
// Everything a controller must refuse although the CRD's schema lets it pass. In document order; empty = valid.
std::vector<FieldError> validate(const Replication& object);

}  // namespace godwit::api
