#include "api/crd_fields.h"

namespace godwit::api {

// Never stricter than what VolSync stores: a serviceType or volumeMode that is wrong is told by validate(), in the
// object's condition, and the pattern of a schedule asks only for what every cron text has.
const std::vector<FieldRow>& fieldTable() {
  using enum FieldType;
  using enum Side;
  static const std::vector<FieldRow> table = {
      {Both, "spec", Object, "What is replicated, when, and how."},
      {Source, "spec.sourcePVC", Text, "Name of the PersistentVolumeClaim to replicate, in the same namespace."},
      {Both, "spec.paused", Bool,
       "While true no new transfer starts, and a running mover Job is scaled to nothing. Default: false."},

      {Both, "spec.trigger", Object,
       "When a synchronization starts. Absent or empty: again as soon as the last one and its clean-up have ended."},
      {Both, "spec.trigger.schedule", Pattern,
       "Cron schedule: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly, "
       "@every DURATION. In the controller's time zone unless it starts with CRON_TZ=ZONE.",
       "[0-9*?@]"},
      {Both, "spec.trigger.manual", Text,
       "Any text. Each new value starts one synchronization; status.lastManualSync shows the value when it is done. "
       "Wins over schedule."},

      {Both, "spec.rsync", Object, "Replication with rsync over SSH."},
      {Source, "spec.rsync.copyMethod", Choice,
       "How the point-in-time copy of the source volume is made: Clone, Snapshot (then restored), or Direct (no copy; "
       "None is "
       "its deprecated name).",
       "Direct|None|Clone|Snapshot"},
      {Destination, "spec.rsync.copyMethod", Choice,
       "What is kept of the destination volume after each synchronization: Snapshot (a VolumeSnapshot), or Direct (the "
       "volume "
       "itself; None is its deprecated name).",
       "Direct|None|Clone|Snapshot"},
      {Source, "spec.rsync.capacity", Quantity, "Size of the point-in-time copy. Default: that of the source volume."},
      {Destination, "spec.rsync.capacity", Quantity,
       "Size of the destination volume. Required together with accessModes unless destinationPVC is given."},
      {Both, "spec.rsync.storageClassName", Text,
       "StorageClass of the volume that is made. Default: the source volume's, or the default class."},
      {Both, "spec.rsync.accessModes", AccessModes, "Access modes of the volume that is made."},
      {Both, "spec.rsync.volumeSnapshotClassName", Text,
       "VolumeSnapshotClass of the snapshots that are made. Default: the default class."},
      {Destination, "spec.rsync.volumeMode", Text, "Filesystem or Block. Default: Filesystem."},
      {Destination, "spec.rsync.destinationPVC", Text,
       "Existing PersistentVolumeClaim to write to, instead of one that is provisioned from capacity and accessModes."},
      {Destination, "spec.rsync.cleanupTempPVC", Bool,
       "Delete the provisioned volume after each successful synchronization; the next one then sends everything again. "
       "No "
       "effect on destinationPVC. Default: false."},
      {Source, "spec.rsync.sshKeys", Text,
       "Secret with source, source.pub and destination.pub. Absent: keys are made, and status.rsync.sshKeys names the "
       "Secret for the destination."},
      {Destination, "spec.rsync.sshKeys", Text,
       "Secret with destination, destination.pub and source.pub. Absent: keys are made, and status.rsync.sshKeys names "
       "the Secret for the source."},
      {Both, "spec.rsync.serviceType", Text,
       "Type of the Service for incoming SSH connections: ClusterIP, LoadBalancer or NodePort. Default: ClusterIP."},
      {Destination, "spec.rsync.serviceAnnotations", TextMap,
       "Annotations of that Service, instead of the default ones."},
      {Both, "spec.rsync.address", Text, "Host name or IP address of the remote end."},
      {Both, "spec.rsync.port", Port, "TCP port of the remote end, or of the Service. Default: 22."},
      {Both, "spec.rsync.path", Text, "Directory within the destination volume. Default: /."},
      {Both, "spec.rsync.sshUser", Text, "User name for the SSH connection. Default: root."},
      {Both, "spec.rsync.moverServiceAccount", Text,
       "Existing ServiceAccount of the mover's pod, instead of one that is made."},
      {Both, "spec.rsync.moverPodLabels", TextMap, "Labels to add to the mover's pod."},
      {Both, "spec.rsync.moverResources", Opaque, "Resource requirements of the mover's container."},
      {Both, "spec.rsync.moverResources.limits", QuantityMap, "The most the container may use."},
      {Both, "spec.rsync.moverResources.requests", QuantityMap, "What the container is granted."},

      {Both, "spec.external", Object, "Replication by another provider. Objects with this are left alone."},
      {Both, "spec.external.provider", Text, "Name of the provider, as domain.com/provider."},
      {Both, "spec.external.parameters", TextMap, "Parameters of the provider."},
      {Both, "spec.rsyncTLS", Opaque, "Another mover's parameters, kept as they are."},
      {Both, "spec.rclone", Opaque, "Another mover's parameters, kept as they are."},
      {Both, "spec.restic", Opaque, "Another mover's parameters, kept as they are."},
      {Source, "spec.syncthing", Opaque, "Another mover's parameters, kept as they are."},

      {Both, "status", Object, "What has been observed; written by the controller."},
      {Both, "status.lastSyncTime", Time, "When the last successful synchronization ended."},
      {Both, "status.lastSyncStartTime", Time,
       "When the synchronization in progress started; absent while there is none."},
      {Both, "status.lastSyncDuration", Text, "How long the last successful synchronization took, as 1m2.5s."},
      {Both, "status.nextSyncTime", Time, "When the next synchronization is due by the schedule."},
      {Both, "status.lastManualSync", Text, "The spec.trigger.manual that was last completed."},
      {Both, "status.latestMoverStatus", Object, "How the latest mover Job ended."},
      {Both, "status.latestMoverStatus.result", Text, "Successful or Failed."},
      {Both, "status.latestMoverStatus.logs", Text, "Summary, or the end of the log."},
      {Destination, "status.latestImage", ObjectReference,
       "The newest complete image: a VolumeSnapshot, or with Direct the PersistentVolumeClaim."},
      {Both, "status.rsync", Object, "What the other end needs to connect."},
      {Both, "status.rsync.address", Text, "Address for incoming SSH connections."},
      {Both, "status.rsync.port", Port, "Port for incoming SSH connections."},
      {Both, "status.rsync.sshKeys", Text, "Secret with the keys for the other end; copy it there."},
      {Both, "status.conditions", Conditions, "Synchronizing and Reconciled."},
      {Both, "status.external", TextMap, "Another provider's status."},
      {Both, "status.rsyncTLS", Opaque, "Another mover's status, kept as it is."},
      {Source, "status.restic", Opaque, "Another mover's status, kept as it is."},
      {Source, "status.syncthing", Opaque, "Another mover's status, kept as it is."},
  };
  return table;
}

bool appliesTo(const FieldRow& row, Role role) {
  return row.side == Side::Both || (row.side == Side::Source) == (role == Role::Source);
}

}  // namespace godwit::api
