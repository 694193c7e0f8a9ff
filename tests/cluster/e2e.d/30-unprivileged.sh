# Movers without privileges.
# shellcheck shell=bash disable=SC2154

without_privileges() {
  for cluster in near far; do "$cluster" annotate namespace "$ns" volsync.backube/privileged-movers=false; done
}
pod_security() { # LABEL: as kubectl takes it
  for cluster in near far; do "$cluster" label namespace "$ns" "pod-security.kubernetes.io/enforce$1"; done
}

# The roots of both volumes are root's, as the driver made them; Pod Security admits the movers, but not those who look.
test_unprivileged_movers() {
  without_privileges
  volume src data
  in_volume src data 'mkdir d; echo one >d/one; ln -s one d/two; chmod -R a+rX .; sync'
  pod_security '=restricted'
  destination there "copyMethod: Snapshot, $provisioned"
  introduce there
  source_for there here data 'copyMethod: Clone'
  synced here one
  imaged there
  pod_security -
  restored there copy
  [ "$(in_volume dst copy 'cat d/one; readlink d/two')" = "one
one" ]
  says src replicationsource/here 'ownership is not kept'
}

# The kubelet would give them to the mover's group.
test_unprivileged_direct_sources_leave_the_volume_alone() {
  without_privileges
  volume src data
  in_volume src data 'echo one >file; chown 1000:2000 file; chmod 644 file; sync'
  destination there "copyMethod: Snapshot, $provisioned"
  introduce there
  source_for there here data 'copyMethod: Direct'
  synced here one
  [ "$(in_volume src data 'stat -c %u:%g:%a file; stat -c %g .')" = "1000:2000:644
0" ]
  imaged there
  restored there copy
  [ "$(in_volume dst copy 'cat file')" = one ]
}

# Whoever deletes a ReplicationDestination keeps the image that is labelled.
test_a_labelled_image_outlives_its_destination() {
  pair Direct Snapshot
  imaged there
  local image
  image=$(image_of there)
  dst label volumesnapshot "$image" volsync.backube/do-not-delete= made-by=user
  until_true 20 "it is nobody's" unowned "$image"
  dst delete replicationdestination there
  until_true 60 'the rest is gone' no_claims
  [ "$(dst get volumesnapshot "$image" -o jsonpath='{.metadata.deletionTimestamp}')" = '' ]
  dst delete volumesnapshot "$image"
}
unowned() { [ -z "$(dst get volumesnapshot "$1" -o jsonpath='{.metadata.ownerReferences}')" ]; }
no_claims() { [ -z "$(dst get pvc -o name -l app.kubernetes.io/created-by=volsync)" ]; }
