// What the planner and the steps see of the cluster: the objects that matter to one replication, nothing else.
#pragma once
#include "replication/controller.h"
#include "replication/views.h"

namespace godwit::replication {

struct World {
  TimePoint now;
  api::StringMap namespaceAnnotations;
  View<api::Pvc>::Ptr given;             // spec.sourcePVC or spec.rsync.destinationPVC
  View<api::Pvc>::Ptr made;              // volsync-NAME-src or volsync-NAME-dst
  View<api::VolumeSnapshot>::Ptr copy;   // source: the snapshot the PiT volume comes from
  View<api::VolumeSnapshot>::Ptr image;  // destination: the snapshot that the volume's snapname names
  View<api::Service>::Ptr service;
  View<api::Job>::Ptr job;
  View<api::Pod>::Ptr pod;  // the job's youngest
  View<Named>::Ptr account;
  View<RoleCard>::Ptr role;  // these two named like the account
  View<Named>::Ptr roleBinding;
  View<api::Pvc>::Ptr mounted;  // by the job, whatever the spec says since

  // The volume the mover works on: the one that is mounted; without a job `given` or `made`, whichever the spec
  // selects. Null while it is not there.
  View<api::Pvc>::Ptr data(const api::Replication& object) const;
};

World look(const Views& views, const api::Replication& object, TimePoint now);

// Names that follow from the spec alone.
bool usesOwnVolume(const api::Replication& object);         // a PiT copy or a provisioned volume, not the user's
std::string dataVolume(const api::Replication& object);     // the PVC that the mover mounts
std::string moverSecret(const api::Replication& object);    // the Secret that the mover mounts
std::string moverAccount(const api::Replication& object);   // spec.rsync.moverServiceAccount or ours
bool needsService(const api::Replication& object);          // no spec.rsync.address: the other end comes to us
std::string manualTrigger(const api::Replication& object);  // spec.trigger.manual, "" when there is none
bool unprivileged(const World& world);  // the namespace says volsync.backube/privileged-movers: "false"
bool ownedBy(const api::ObjectMeta& child, const api::ObjectMeta& owner);

// Annotations of Godwit's own on what it makes.
inline constexpr const char* kForManualAnnotation = "godwit/for-manual";  // spec.trigger.manual the copy was made for
inline constexpr const char* kForSyncAnnotation = "godwit/for-sync";      // lastSyncStartTime the Job belongs to
inline constexpr const char* kPodHashAnnotation = "godwit/pod-hash";      // on the Job: see podHash() in plan.h
// On a claim or snapshot: see asked.h.
inline constexpr const char* kAskedAnnotation = "godwit/asked";
inline constexpr const char* kForCopyTriggerAnnotation = "godwit/for-copy-trigger";
inline constexpr const char* kPointInTimeAnnotation = "godwit/point-in-time";  // "false": files changed while copied
inline constexpr const char* kHostAnnotation = "godwit/host";                  // on a NodePort Service: its only node
inline constexpr const char* kPortAnnotation = "godwit/port";                  // on a Service: where it can be reached
inline constexpr const char* kServiceAnnotationsAnnotation =
    "godwit/service-annotations";  // keys that Godwit put there
inline constexpr const char* kAddressMessageAnnotation = "godwit/address-message";
inline constexpr const char* kImageAnnotation = "godwit/image";  // on an intermediate claim: what it is made from
inline constexpr const char* kSelectedNodeAnnotation = "volume.kubernetes.io/selected-node";  // the scheduler's
inline constexpr const char* kComponentLabel = "app.kubernetes.io/component";
inline constexpr const char* kComponentValue = "rsync-mover";

namespace copy_trigger {  // annotations of the source PVC: contract section 2
inline constexpr const char* kUse = "volsync.backube/use-copy-trigger";
inline constexpr const char* kTrigger = "volsync.backube/copy-trigger";
inline constexpr const char* kStatus = "volsync.backube/latest-copy-status";
inline constexpr const char* kLatest = "volsync.backube/latest-copy-trigger";
inline constexpr const char* kWaitingSince = "volsync.backube/latest-copy-trigger-waiting-since";
}  // namespace copy_trigger

}  // namespace godwit::replication
