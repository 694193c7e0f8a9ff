# What everybody does.
# shellcheck shell=bash disable=SC2154
provisioned='capacity: 64Mi, accessModes: [ReadWriteOnce]'

pair() { # SOURCE-METHOD DESTINATION-METHOD
  volume near data
  in_volume near data "$fill"
  destination there "copyMethod: $2, $provisioned"
  introduce there
  source_for there here data "copyMethod: $1"
  synced here one
}

test_snapshot_to_snapshot_through_a_load_balancer() {
  pair Snapshot Snapshot
  imaged there
  restored there copy
  same near data far copy
  local first
  first=$(image_of there)
  in_volume near data 'echo more >>d/7; rm d/8; echo new >new; sync'
  sync here two
  imaged there "$first"
  restored there copy-two
  same near data far copy-two
}

test_clone_to_snapshot_restored_where_its_consumer_is() {
  pair Clone Snapshot
  imaged there
  restored there copy disk-wait
  same near data far copy
}

test_direct_to_direct() {
  pair Direct Direct
  imaged there
  same near data far volsync-there-dst
}

test_schedule_with_snapshots_at_both_ends() {
  volume near data
  in_volume near data "$fill"
  destination there "copyMethod: Snapshot, $provisioned"
  introduce there
  source_for there here data 'copyMethod: Snapshot' '{schedule: "@every 5s"}'
  imaged there
  local first
  first=$(image_of there)
  imaged there "$first"
  [ -n "$(near -n "$ns" get replicationsource here -o jsonpath='{.status.nextSyncTime}')" ]
}

test_several_sources_one_after_another() {
  pair Direct Snapshot
  imaged there
  local first
  first=$(image_of there)
  near -n "$ns" delete replicationsource here
  volume near other
  in_volume near other 'echo other >only; sync'
  source_for there second other 'copyMethod: Clone'
  synced second one
  imaged there "$first"
  restored there copy
  same near other far copy
}

test_long_names() {
  local long
  long=$(printf 'a-name-of-a-replication-that-is-about-as-long-as-a-name-can-be-%0150d' 7)
  volume near data
  in_volume near data "$fill"
  destination "$long" "copyMethod: Snapshot, $provisioned"
  introduce "$long"
  source_for "$long" "$long" data 'copyMethod: Clone'
  synced "$long" one
  imaged "$long"
}

test_keys_made_by_hand() {
  local keys=$work/keys
  mkdir -p "$keys"
  ssh-keygen -q -t rsa -b 2048 -N '' -f "$keys/source"
  ssh-keygen -q -t ecdsa -N '' -f "$keys/destination"
  near -n "$ns" create secret generic by-hand --from-file="$keys/source" --from-file="$keys/source.pub" --from-file="$keys/destination.pub"
  far -n "$ns" create secret generic by-hand --from-file="$keys/destination" --from-file="$keys/destination.pub" --from-file="$keys/source.pub"
  rm -rf "$keys"
  volume near data
  in_volume near data "$fill"
  far -n "$ns" create secret generic unused --from-literal=a=b
  destination there "copyMethod: Direct, sshKeys: by-hand, $provisioned"
  source_for there here data 'copyMethod: Direct'
  synced here one
  same near data far volsync-there-dst
}

test_pause_and_resume() {
  pair Snapshot Snapshot
  near -n "$ns" patch replicationsource here --type=merge -p '{"spec": {"paused": true, "trigger": {"manual": "two"}}}'
  until_true 20 'the condition says so' says_paused
  ! mover near || return 1
  near -n "$ns" patch replicationsource here --type=merge -p '{"spec": {"paused": false}}'
  synced here two
}
says_paused() { near -n "$ns" get replicationsource here -o jsonpath='{.status.conditions[?(@.type=="Synchronizing")].message}' | grep -i paused; }
