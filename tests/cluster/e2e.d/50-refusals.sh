# What the cluster refuses: the condition says what, an event too, and all goes on once the cause is gone.
# shellcheck shell=bash disable=SC2154,SC2034

test_mover_refused_by_pod_security() {
  volume src data
  in_volume src data "$fill"
  destination there "copyMethod: Direct, $provisioned"
  introduce there
  near label namespace "$ns" pod-security.kubernetes.io/enforce=restricted
  source_for there here data 'copyMethod: Direct'
  told src replicationsource/here MoverPodNotCreated 'violates PodSecurity "restricted:latest"'
  near label namespace "$ns" pod-security.kubernetes.io/enforce=baseline --overwrite
  synced here one 150
  same src data dst volsync-there-dst
}

test_snapshot_class_missing() {
  volume src data
  in_volume src data "$fill"
  destination there "copyMethod: Direct, $provisioned"
  introduce there
  source_for there here data "copyMethod: Snapshot, volumeSnapshotClassName: $ns"
  told src replicationsource/here VolumeSnapshotNotBound "VolumeSnapshot volsync-here-src: .*$ns.* not found"
  made_for_this_test volumesnapshotclass "{apiVersion: snapshot.storage.k8s.io/v1, kind: VolumeSnapshotClass,
    metadata: {name: $ns}, driver: disk.godwit.test, deletionPolicy: Delete}"
  synced here one 150
  near delete volumesnapshotclass "$ns"
  same src data dst volsync-there-dst
}

test_volume_that_does_not_bind() {
  volume src data
  in_volume src data "$fill"
  destination there "copyMethod: Direct, $provisioned"
  introduce there
  source_for there here data "copyMethod: Clone, storageClassName: $ns"
  told src replicationsource/here PersistentVolumeClaimNotBound "waiting for PersistentVolumeClaim volsync-here-src to bind; check capacity and storage class"
  made_for_this_test storageclass "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: $ns},
    provisioner: disk.godwit.test, reclaimPolicy: Delete}"
  synced here one 150
  near delete storageclass "$ns"
  same src data dst volsync-there-dst
}
# Nobody deletes the claim that cannot be bound, nor the mover that waits for it.
test_class_corrected_in_the_spec() {
  volume src data
  in_volume src data "$fill"
  destination there "copyMethod: Direct, $provisioned"
  introduce there
  source_for there here data "copyMethod: Clone, storageClassName: $ns"
  until_true 60 'the mover waits for its volume' says src replicationsource/here 'unbound immediate PersistentVolumeClaims'
  change here '{"spec": {"rsync": {"storageClassName": "disk"}}}'
  synced here one 150
  same src data dst volsync-there-dst
}
made_for_this_test() { echo "$2" | near create -f -; }

test_image_that_cannot_be_pulled() {
  volume src data
  in_volume src data "$fill"
  destination there "copyMethod: Direct, $provisioned"
  introduce there
  local name
  name=$(near -n godwit-system get deployment godwit -o jsonpath='{.spec.template.spec.containers[0].image}')
  "$here/exec" near ctr -n k8s.io images rm --sync "$name"
  source_for there here data 'copyMethod: Direct'
  told src replicationsource/here MoverPodWaiting 'mover volsync-rsync-src-here-.*: (ErrImagePull|ImagePullBackOff)'
  "$here/load" near "$GODWIT_IMAGE"
  synced here one 150
  same src data dst volsync-there-dst
}
