# What everybody does.
# shellcheck shell=bash disable=SC2154,SC2034
provisioned='capacity: 64Mi, accessModes: [ReadWriteOnce]'

pair() { # SOURCE-METHOD DESTINATION-METHOD
  volume src data
  in_volume src data "$fill"
  destination there "copyMethod: $2, $provisioned"
  introduce there
  source_for there here data "copyMethod: $1"
  synced here one
}

test_snapshot_to_snapshot_through_a_load_balancer() {
  pair Snapshot Snapshot
  imaged there
  restored there copy
  same src data dst copy
  local first
  first=$(image_of there)
  in_volume src data 'echo more >>d/7; rm d/8; echo new >new; sync'
  sync here two
  imaged there "$first"
  restored there copy-two
  same src data dst copy-two
}

test_clone_to_snapshot_restored_where_its_consumer_is() {
  pair Clone Snapshot
  imaged there
  restored there copy disk-wait
  same src data dst copy
}

test_direct_to_direct() {
  pair Direct Direct
  imaged there
  same src data dst volsync-there-dst
}

test_two_namespaces_of_one_cluster() {
  dst_cluster=near dst_ns=$ns-two service_type=ClusterIP
  space near "$dst_ns"
  pair Snapshot Snapshot
  imaged there
  restored there copy
  same src data dst copy
}

test_schedule_with_snapshots_at_both_ends() {
  volume src data
  in_volume src data "$fill"
  destination there "copyMethod: Snapshot, $provisioned"
  introduce there
  source_for there here data 'copyMethod: Snapshot' '{schedule: "@every 5s"}'
  imaged there
  local first
  first=$(image_of there)
  imaged there "$first"
  [ -n "$(src get replicationsource here -o jsonpath='{.status.nextSyncTime}')" ]
  restored there copy
  same src data dst copy
}

test_several_sources_one_after_another() {
  pair Direct Snapshot
  imaged there
  local first
  first=$(image_of there)
  src delete replicationsource here
  volume src other
  in_volume src other 'echo other >only; sync'
  source_for there second other 'copyMethod: Clone'
  synced second one
  imaged there "$first"
  restored there copy
  same src other dst copy
}

test_long_names() {
  local long
  long=$(printf 'a-name-of-a-replication-that-is-about-as-long-as-a-name-can-be-%0150d' 7)
  volume src data
  in_volume src data "$fill"
  destination "$long" "copyMethod: Snapshot, $provisioned"
  introduce "$long"
  source_for "$long" "$long" data 'copyMethod: Clone'
  synced "$long" one
  imaged "$long"
  restored "$long" copy
  same src data dst copy
}

test_keys_made_by_hand() {
  local keys=$work/keys
  mkdir -p "$keys"
  ssh-keygen -q -t rsa -b 2048 -N '' -f "$keys/source"
  ssh-keygen -q -t ecdsa -N '' -f "$keys/destination"
  secret=by-hand
  secret_of src source source.pub destination.pub
  secret_of dst destination destination.pub source.pub
  rm -rf "$keys"
  volume src data
  in_volume src data "$fill"
  destination there "copyMethod: Direct, sshKeys: $secret, $provisioned"
  source_for there here data 'copyMethod: Direct'
  synced here one
  same src data dst volsync-there-dst
}
secret_of() { # WHERE FIELD...
  local where=$1 field
  shift
  # shellcheck disable=SC2046  # words
  "$where" create secret generic "$secret" $(for field; do echo "--from-file=$keys/$field"; done)
  "$where" label secret "$secret" made-by=user
}

test_pause_and_resume() {
  pair Snapshot Snapshot
  change here '{"spec": {"paused": true, "trigger": {"manual": "two"}}}'
  until_true 20 'the condition says so' says src replicationsource/here paused
  [ -z "$(src get jobs -l app.kubernetes.io/created-by=volsync -o name)" ]
  [ "$(src get replicationsource here -o jsonpath='{.status.lastManualSync}')" = one ]
  change here '{"spec": {"paused": false}}'
  synced here two
}

test_volume_of_the_user_as_destination() {
  volume src data
  in_volume src data "$fill"
  volume dst mine
  in_volume dst mine 'mkdir -p d; echo theirs >d/999; echo old >d/5; sync'
  destination there 'copyMethod: Snapshot, destinationPVC: mine'
  introduce there
  source_for there here data 'copyMethod: Snapshot'
  synced here one
  imaged there
  same src data dst mine
}
