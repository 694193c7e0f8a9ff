# What goes wrong while data moves. Every test ends in a replica that equals its source.
# shellcheck shell=bash disable=SC2154,SC2034
large='capacity: 512Mi, accessModes: [ReadWriteOnce]'
# A mover that gets a part of a processor only is long enough in the middle of a sync to do something to it.
cpu=40m
files=300

large_volume() {
  size=512Mi
  volume src data
  in_volume src data "for i in \$(seq $files); do head -c 1000000 /dev/urandom >\$i; done; sync"
}
# Returns when the sync is in its middle: some files have arrived, and not yet all.
large_pair() {
  large_volume
  destination there "copyMethod: Snapshot, $large"
  introduce there
  source_for there here data "copyMethod: Direct, moverResources: {limits: {cpu: $cpu}}"
  in_the_middle
}
in_the_middle() {
  until_true 60 'files arrive' arrived 20
  unfinished
}
unfinished() {
  ! arrived $files || die 'the sync was too fast to be in the middle of'
}
arrived() {
  local directory number
  directory=$(directory_of dst volsync-there-dst) && number=$("$here/exec" far ls "$directory" | wc -l) && [ "$number" -ge "$1" ]
}
ends_equal() {
  synced here one 240
  imaged there
  restored there copy
  same src data dst copy
}
kill_pod() { "$1" delete "$(mover "$1")" --grace-period=0 --force; }

test_source_pod_killed() { large_pair; kill_pod src; unfinished; ends_equal; }
test_destination_pod_killed() { large_pair; kill_pod dst; unfinished; ends_equal; }
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
  for cluster in near far; do kill_operators $cluster; done
  for cluster in near far; do until_true 60 "an operator leads $cluster" leads $cluster; done
  ends_equal
}
# Only movers are evicted: this node is the only one, and the operator's PodDisruptionBudget would rightly stop the rest.
test_node_drained_in_the_middle() {
  large_pair
  near drain node-near --pod-selector=app.kubernetes.io/component=rsync-mover --delete-emptydir-data --timeout=90s
  unfinished
  told src replicationsource/here MoverPodWaiting 'nodes are available.*unschedulable'
  near uncordon node-near
  ends_equal
}
test_paused_in_the_middle() {
  large_pair
  change here '{"spec": {"paused": true}}'
  until_true 60 'no mover runs' no_mover src
  until_true 20 'the condition says so' says src replicationsource/here paused
  unfinished
  change here '{"spec": {"paused": false}}'
  ends_equal
}
no_mover() { local pods; pods=$("$1" get pods -l app.kubernetes.io/component=rsync-mover -o name) && [ -z "$pods" ]; }

# A new one at the same address has keys of its own, which the source gets meanwhile.
test_destination_deleted_while_the_source_pushes() {
  cpu=20m
  large_pair
  dst delete replicationdestination there --timeout=60s
  [ -z "$(src get replicationsource here -o jsonpath='{.status.lastManualSync}')" ]
  until_true 400 'the source tells that it fails' failed  # three pods, each with a minute of attempts
  same_address=1
  destination there "copyMethod: Snapshot, $large"
  introduce there
  ends_equal
}
failed() { [ "$(src get replicationsource here -o jsonpath='{.status.latestMoverStatus.result}')" = Failed ]; }

# After either side is gone with all that was in it, a new one takes its place.
test_namespace_of_the_source_deleted_in_the_middle() {
  cpu=20m  # a namespace takes its time to go
  large_pair
  near delete namespace "$ns" --timeout=120s
  unfinished
  near create namespace "$ns"
  large_volume
  introduce there
  source_for there here data 'copyMethod: Direct'
  ends_equal
}
test_namespace_of_the_destination_deleted_in_the_middle() {
  cpu=20m
  large_pair
  far delete namespace "$ns" --timeout=120s
  far create namespace "$ns"
  src delete replicationsource here
  destination there "copyMethod: Snapshot, $large"
  introduce there
  source_for there here data 'copyMethod: Direct'
  ends_equal
}

# An object as VolSync leaves it, with its status and none of Godwit's marks: only what changed is sent.
test_objects_of_volsync_are_adopted() {
  pair Direct Direct
  local spec
  spec=$(src get replicationsource here -o jsonpath='{.spec}')
  src delete replicationsource here --timeout=60s
  near -n godwit-system scale deployment/godwit --replicas=0
  operators near wait --for=delete pods --timeout=60s
  echo "{apiVersion: volsync.backube/v1alpha1, kind: ReplicationSource, metadata: {name: here}, spec: $spec}" | src create -f -
  src patch replicationsource here --subresource=status --type=merge -p '{"status": {"lastSyncTime": "2024-01-01T00:00:00Z",
    "lastSyncDuration": "7.5s", "lastManualSync": "one", "conditions": [{"type": "Synchronizing", "status": "False",
    "reason": "WaitingForManual", "message": "Waiting for manual trigger", "lastTransitionTime": "2024-01-01T00:00:00Z"}]}}'
  near -n godwit-system scale deployment/godwit --replicas=2
  until_true 60 'an operator leads near' leads near
  in_volume src data 'echo more >>d/7; sync'
  sync here two
  src get replicationsource here -o jsonpath='{.status.latestMoverStatus.logs}' | grep -E '^sent [0-9.]+ (B|KiB) '
  same src data dst volsync-there-dst
}

# A destination as VolSync leaves it: keys, Service and volume stay the same objects, and only what changed is sent.
test_a_destination_of_volsync_is_adopted() {
  pair Direct Snapshot
  far -n godwit-system scale deployment/godwit --replicas=0
  operators far wait --for=delete pods --timeout=60s
  dst delete jobs --all --cascade=foreground --timeout=60s
  dst patch replicationdestination there --subresource=status --type=merge -p '{"status": {"conditions": [{"type": "Synchronizing",
    "status": "True", "reason": "SyncInProgress", "message": "Synchronization in-progress", "lastTransitionTime": "2024-01-01T00:00:00Z"}]}}'
  local before first
  before=$(identities)
  first=$(image_of there)
  far -n godwit-system scale deployment/godwit --replicas=2
  until_true 60 'an operator leads far' leads far
  in_volume src data 'echo more >>d/7; sync'
  sync here two
  src get replicationsource here -o jsonpath='{.status.latestMoverStatus.logs}' | grep -E '^sent [0-9.]+ (B|KiB) '
  [ "$(identities)" = "$before" ]
  imaged there "$first"
  restored there copy
  same src data dst copy
}
identities() {
  dst get secrets,services,persistentvolumeclaims -l app.kubernetes.io/created-by=volsync \
    -o jsonpath='{range .items[*]}{.kind}/{.metadata.name} {.metadata.uid}{"\n"}{end}' | sort
}
