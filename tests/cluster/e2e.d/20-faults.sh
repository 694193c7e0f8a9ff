# What goes wrong while data moves. Every test ends in a replica that equals its source.
# shellcheck shell=bash disable=SC2154

large_pair() {
  size=512Mi  # long enough to be in the middle of
  volume near data
  in_volume near data 'for i in $(seq 300); do head -c 1000000 /dev/urandom >$i; done; sync'
  destination there 'copyMethod: Snapshot, capacity: 512Mi, accessModes: [ReadWriteOnce]'
  introduce there
  source_for there here data 'copyMethod: Direct'
  until_true 60 'a mover runs' mover near
}
ends_equal() {
  synced here one 240
  imaged there
  restored there copy
  same near data far copy
}
kill_pod() { "$1" -n "$ns" delete "$(mover "$1")" --grace-period=0 --force; }

test_source_pod_killed() { large_pair; kill_pod near; ends_equal; }
test_destination_pod_killed() { large_pair; kill_pod far; ends_equal; }
test_containerd_restarted() {
  large_pair
  "$here/service" near kill containerd
  "$here/service" near start containerd
  ends_equal
}
test_api_server_gone_for_30_seconds() {
  large_pair
  "$here/service" near kill kube-apiserver
  sleep 30  # the fault itself
  "$here/service" near start kube-apiserver
  until_true 60 'the API server is back' near get --raw /readyz
  ends_equal
}
test_operators_killed() {
  large_pair
  for cluster in near far near far; do
    "$cluster" -n godwit-system delete pod -l app.kubernetes.io/name=godwit --grace-period=0 --force --wait=false
  done
  ends_equal
}
test_destination_deleted_while_the_source_pushes() {
  large_pair
  far -n "$ns" delete replicationdestination there --timeout=60s
  until_true 300 'the source tells that it fails' failed  # three pods, each with a minute of attempts
  destination there 'copyMethod: Snapshot, capacity: 512Mi, accessModes: [ReadWriteOnce]'
  introduce there
  near -n "$ns" patch replicationsource here --type=merge \
    -p "{\"spec\": {\"rsync\": {\"address\": \"$(far -n "$ns" get replicationdestination there -o jsonpath='{.status.rsync.address}')\"}}}"
  ends_equal
}
failed() { [ "$(near -n "$ns" get replicationsource here -o jsonpath='{.status.latestMoverStatus.result}')" = Failed ]; }
test_namespace_deleted_in_the_middle() {
  large_pair
  near delete namespace "$ns" --timeout=120s
  near create namespace "$ns"
}

# Objects as VolSync leaves them, with its status and none of Godwit's marks: only what changed is sent.
test_objects_of_volsync_are_adopted() {
  volume near data
  in_volume near data "$fill"
  destination there 'copyMethod: Direct, capacity: 512Mi, accessModes: [ReadWriteOnce]'
  introduce there
  source_for there here data 'copyMethod: Direct'
  synced here one
  near -n "$ns" get replicationsource here -o json >"$work/source.json"
  near -n "$ns" delete replicationsource here
  python3 - "$work/source.json" <<'END' | near -n "$ns" create -f -
import json, sys
s = json.load(open(sys.argv[1]))
print(json.dumps({"apiVersion": s["apiVersion"], "kind": s["kind"], "metadata": {"name": "here"}, "spec": {**s["spec"], "paused": True}}))
END
  near -n "$ns" patch replicationsource here --subresource=status --type=merge -p '{"status": {"lastSyncTime": "2024-01-01T00:00:00Z",
    "lastSyncDuration": "7.5s", "lastManualSync": "one", "conditions": [{"type": "Synchronizing", "status": "False",
    "reason": "WaitingForManual", "message": "Waiting for manual trigger", "lastTransitionTime": "2024-01-01T00:00:00Z"}]}}'
  near -n "$ns" patch replicationsource here --type=merge -p '{"spec": {"paused": false}}'
  sync here two
  near -n "$ns" get replicationsource here -o jsonpath='{.status.latestMoverStatus.logs}' | grep -E '^sent [0-9.]+ (B|KiB) '
  same near data far volsync-there-dst
}

# Thirty pairs that never rest, and an operator that is killed fifty times.
test_soak_operator_killed() {
  destination there 'copyMethod: Direct, capacity: 64Mi, accessModes: [ReadWriteOnce]'
  introduce there
  for i in $(seq 30); do
    size=64Mi volume near "data-$i"
    in_volume near "data-$i" "echo $i >number; sync"
    size=64Mi destination "there-$i" 'copyMethod: Direct, capacity: 64Mi, accessModes: [ReadWriteOnce]'
    introduce "there-$i"
    source_for "there-$i" "here-$i" "data-$i" 'copyMethod: Direct'
  done
  for i in $(seq 50); do
    near -n godwit-system delete pod -l app.kubernetes.io/name=godwit --grace-period=0 --force --wait=false
    near -n godwit-system rollout status deployment/godwit --timeout=60s
    pair=$((i % 30 + 1))
    near -n "$ns" patch replicationsource "here-$pair" --type=merge -p "{\"spec\": {\"trigger\": {\"manual\": \"kill-$i\"}}}"
  done
  for i in $(seq 30); do
    sync "here-$i" last
    same near "data-$i" far "volsync-there-$i-dst"
  done
}
