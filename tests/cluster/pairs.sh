# Sourced by the tests of e2e: what users do with pairs of replications. Sources live in the cluster `near`, destinations
# in `far`, each in a namespace named after the test. Whatever users make is labelled made-by=user.
# shellcheck shell=bash disable=SC2154  # here, work, ns: of who sources this

near() { KUBECONFIG=$clusters/near/kubeconfig "$(tool kubectl)" "$@"; }
far() { KUBECONFIG=$clusters/far/kubeconfig "$(tool kubectl)" "$@"; }
dst_cluster=far dst_ns=''
src() { near -n "$ns" "$@"; }
dst() { "$dst_cluster" -n "${dst_ns:-$ns}" "$@"; }
operator_log() { "$1" -n godwit-system logs deployment/godwit --tail=-1 2>&1 | grep -v DEBUG; }

prepare() { # CLUSTER
  "$here/load" "$1" "$GODWIT_IMAGE"
  "$1" apply --server-side -k "$root/deploy/kustomize/base"
  "$1" -n godwit-system rollout status deployment/godwit --timeout=90s
}

# --- a test's namespaces, and what is in them ---

# Every kind of which the operator may make objects, and those that come of them.
kinds=replicationsources,replicationdestinations,jobs,pods,persistentvolumeclaims,services,endpointslices,secrets
kinds=$kinds,serviceaccounts,roles,rolebindings,volumesnapshots,leases
others() { "$1" -n "$2" get "$kinds" -o name -l 'made-by!=user' | sort; } # CLUSTER NAMESPACE

space() { # CLUSTER NAMESPACE
  "$1" create namespace "$2"
  "$1" -n "$2" wait --for=create --timeout=30s serviceaccount/default
  others "$1" "$2" >"$work/before-$1-$2"
  spaces="$spaces $1/$2"
}
# Once the replications are deleted, nothing but the users' own is left; with the namespace, its volumes go.
leave_nothing() {
  local space cluster name
  for space in $spaces; do
    cluster=${space%/*} name=${space#*/}
    "$cluster" -n "$name" delete replicationsources,replicationdestinations --all --timeout=60s
    until_true 60 "nothing that Godwit made is left in $space" as_before "$cluster" "$name"
  done
  for space in $spaces; do KUBECONFIG=$clusters/${space%/*}/kubeconfig PATH=$programs:$PATH gone "${space#*/}"; done
}
as_before() {
  local left claims volumes
  left=$(others "$1" "$2") && [ "$left" = "$(cat "$work/before-$1-$2")" ] || return 1
  claims=$("$1" -n "$2" get persistentvolumeclaims -l made-by=user -o name | wc -l) &&
    volumes=$("$1" get persistentvolumes -o jsonpath="{range .items[?(@.spec.claimRef.namespace=='$2')]}{.metadata.name}{'\n'}{end}" | wc -l) &&
    left=$("$1" get volumesnapshotcontents -o jsonpath="{.items[?(@.spec.volumeSnapshotRef.namespace=='$2')].metadata.name}") &&
    [ "$volumes" -le "$claims" ] && [ -z "$left" ]
}
no_volume() { local left; left=$("$here/exec" "$1" ls /run/cluster/volumes) && [ -z "$left" ]; } # CLUSTER
tell() {
  local space cluster name
  for space in $spaces; do
    cluster=${space%/*} name=${space#*/}
    "$cluster" -n "$name" get replicationsources,replicationdestinations -o yaml
    "$cluster" -n "$name" get "$kinds"
    "$cluster" -n "$name" get events --sort-by=.lastTimestamp | tail -n 30
  done
}
discard() {
  local space
  for space in $spaces; do "${space%/*}" delete namespace "${space#*/}" --ignore-not-found --timeout=120s; done
}

# --- what users make: WHERE is `src` or `dst` ---

# volume WHERE NAME [CLASS]
volume() {
  "$1" apply -f - <<END
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $2, labels: {made-by: user}}
spec: {storageClassName: ${3:-disk}, volumeMode: ${mode:-Filesystem}, accessModes: [ReadWriteOnce], resources: {requests: {storage: ${size:-64Mi}}}}
END
}
# pod_spec CLAIM SCRIPT: a pod that runs it with the volume at /v, or the device at /dev/v; of several claims each is at
# /v/CLAIM
pod_spec() {
  local claim volumes='' mounts='' access=volumeMounts path='mountPath: /v'
  [ "${mode:-Filesystem}" = Filesystem ] || access=volumeDevices path='devicePath: /dev/v'
  for claim in $1; do
    volumes="$volumes{name: $claim, persistentVolumeClaim: {claimName: $claim}}, "
    mounts="$mounts{name: $claim, $path$([ "$claim" = "$1" ] || echo "/$claim")}, "
  done
  cat <<END
restartPolicy: Never
terminationGracePeriodSeconds: 0
volumes: [$volumes]
containers:
- name: user
  image: ${pod_image:-localhost/busybox:1}
  workingDir: /v
  $access: [$mounts]
  command:
  - sh
  - -euc
  - |
$(printf '%s\n' "$2" | indent 4)
END
}
indent() { sed "s/^/$(printf "%$1s" '')/"; }
# in_volume WHERE CLAIM SCRIPT: prints what the script prints
in_volume() {
  local job=user-$RANDOM$RANDOM
  "$1" create -f - >/dev/null <<END
apiVersion: batch/v1
kind: Job
metadata: {name: $job, labels: {made-by: user}}
spec:
  backoffLimit: 0
  template:
    metadata: {labels: {made-by: user}}
    spec:
$(pod_spec "$2" "$3" | indent 6)
END
  "$1" wait --for=condition=Complete --timeout="${patience:-90}s" "job/$job" >/dev/null || {
    "$1" describe "job/$job" pod -l "job-name=$job" >&2
    "$1" logs "job/$job" >&2
    return 1
  }
  "$1" logs "job/$job"
  "$1" delete "job/$job" --cascade=foreground >/dev/null
}
# application WHERE NAME CLAIM SCRIPT: a pod that goes on for ever; returns when it runs
application() {
  "$1" apply -f - <<END
apiVersion: v1
kind: Pod
metadata: {name: $2, labels: {made-by: user}}
spec:
$(pod_spec "$3" "$4" | indent 2)
END
  "$1" wait --for=condition=Ready --timeout=60s "pod/$2"
}
fill='mkdir -p d; for i in $(seq 200); do echo "$i" >d/$i; done; ln d/1 hard; ln -s d/2 soft; chown 1234:5678 d/3; chmod 4711 d/4; head -c 3000000 /dev/urandom >random; sync'
# Names, owners, modes, times and contents of everything in a volume.
print='find . -mindepth 1 -not -name lost+found -exec stat -c "%n %u %g %a %F %h %s %Y" {} + | sort; find . -type f -exec sha256sum {} + | sort'
same() { # WHERE CLAIM WHERE CLAIM
  local what=$print
  [ "${mode:-Filesystem}" = Filesystem ] || what='sha256sum </dev/v'
  in_volume "$1" "$2" "$what" >"$work/one"
  in_volume "$3" "$4" "$what" >"$work/two"
  diff "$work/one" "$work/two" >"$work/difference" && [ -s "$work/one" ] || {
    echo "$1 $2 and $3 $4 differ:"
    head -n 40 "$work/difference"
    return 1
  } >&2
}

# destination NAME RSYNC-YAML [TRIGGER]: reached through a LoadBalancer, whose address this assigns, or a ClusterIP. With
# `secret` set, both ends use the keys of that name, which users made.
destination() {
  dst apply -f - <<END
apiVersion: volsync.backube/v1alpha1
kind: ReplicationDestination
metadata: {name: $1}
spec: {trigger: ${3:-{\}}, rsync: {serviceType: ${service_type:-LoadBalancer}, $2}}
END
  [ "${service_type:-LoadBalancer}" != LoadBalancer ] || assign_address "$1"
  dst wait --for=jsonpath='{.status.rsync.address}' --timeout=30s "replicationdestination/$1"
  [ -n "${secret:-}" ] || dst wait --for=jsonpath='{.status.rsync.sshKeys}' --timeout=30s "replicationdestination/$1"
}
assign_address() { # DESTINATION: the next address, or with `same_address` set the last once more
  local service next
  until_true 30 "a Service of $1" service_of "$1"
  service=$(service_of "$1")
  next=$(cat "$work/address" 2>/dev/null || echo 9)
  [ -n "${same_address:-}" ] || next=$((next + 1))
  echo "$next" >"$work/address"
  dst patch service "$service" --subresource=status --type=merge \
    -p "{\"status\": {\"loadBalancer\": {\"ingress\": [{\"ip\": \"$(lb_prefix).$next\"}]}}}"
}
service_of() {
  dst get services -o jsonpath="{.items[?(@.metadata.ownerReferences[0].name=='$1')].metadata.name}" | grep .
}
lb_prefix() { ( . "$clusters/far/plan"; echo "${lb_cidr%.0/*}" ); }
published() { dst get replicationdestination "$1" -o jsonpath="{.status.rsync.$2}" | grep .; } # DESTINATION FIELD

# introduce DESTINATION: copies the Secret that its status names to the source's namespace, as the manual tells
introduce() {
  dst get secret "$(published "$1" sshKeys)" -o go-template='{apiVersion: v1, kind: Secret, metadata: {name: "{{.metadata.name}}",
    labels: {made-by: user}}, data: { {{- range $field, $value := .data}}"{{$field}}": "{{$value}}", {{end -}} }}' | src apply -f -
}
# source_for DESTINATION NAME CLAIM RSYNC-YAML [TRIGGER]
source_for() {
  src apply -f - <<END
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: $2}
spec:
  sourcePVC: $3
  trigger: ${5:-{manual: one\}}
  rsync: {address: $(published "$1" address), sshKeys: ${secret:-$(published "$1" sshKeys)}, $4}
END
}
synced() { # SOURCE VALUE [SECONDS]
  src wait --for=jsonpath='{.status.lastManualSync}'="$2" --timeout="${3:-90}s" "replicationsource/$1"
}
change() { src patch replicationsource "$1" --type=merge -p "$2"; } # SOURCE JSON
sync() { # SOURCE VALUE
  change "$1" "{\"spec\": {\"trigger\": {\"manual\": \"$2\"}}}"
  synced "$1" "$2"
}
image_of() { dst get replicationdestination "$1" -o jsonpath='{.status.latestImage.name}'; }
newer_image() { local name; name=$(image_of "$1") && [ -n "$name" ] && [ "$name" != "$2" ]; }
imaged() { until_true 60 "a new image of $1" newer_image "$1" "${2:-}"; } # DESTINATION [PREVIOUS]
# restored DESTINATION CLAIM [CLASS]: a claim that is filled from the newest image
restored() {
  dst apply -f - <<END
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $2, labels: {made-by: user}}
spec:
  storageClassName: ${3:-disk}
  volumeMode: ${mode:-Filesystem}
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: ${size:-64Mi}}}
  dataSourceRef: {apiGroup: volsync.backube, kind: ReplicationDestination, name: $1}
END
}
mover() { # WHERE: prints the names of the running movers' pods
  "$1" get pods -l app.kubernetes.io/component=rsync-mover --field-selector=status.phase=Running -o name | grep .
}
condition() { "$1" get "$2" -o jsonpath='{.status.conditions[?(@.type=="Synchronizing")].message}'; } # WHERE OBJECT
says() { condition "$1" "$2" | grep -E -- "$3"; } # WHERE OBJECT PATTERN
event() { # WHERE OBJECT REASON
  "$1" get events --field-selector "reason=$3,involvedObject.name=${2#*/}" -o name | grep .
}
# The condition says it, and an event does.
told() { # WHERE OBJECT REASON-OF-EVENT PATTERN
  until_true 180 "the condition of $2 says '$4'" says "$1" "$2" "$4"   # what takes long is told after two minutes
  until_true 150 "an event $3" event "$1" "$2" "$3"
}

# The place of a volume's data, as its node has it.
directory_of() { # WHERE CLAIM
  local volume
  volume=$("$1" get persistentvolumeclaim "$2" -o jsonpath='{.spec.volumeName}')
  "$1" get persistentvolume "$volume" -o jsonpath='/run/cluster/volumes/{.spec.csi.volumeHandle}/data'
}

# --- operators ---

operators() { "$1" -n godwit-system "${@:2}" -l app.kubernetes.io/name=godwit; } # CLUSTER VERB pods...
# The first word of the Lease's holder is the pod's name.
leads() {
  local holder
  holder=$("$1" -n godwit-system get lease godwit -o jsonpath='{.spec.holderIdentity}') && [ -n "$holder" ] &&
    "$1" -n godwit-system get pod "${holder%_*}" -o jsonpath='{.status.containerStatuses[0].ready}' | grep true
}
# Killed with no time to say anything, all at once, and replaced.
kill_operators() { # CLUSTER
  local id
  for id in $(operators "$1" get pods -o jsonpath='{.items[*].status.containerStatuses[0].containerID}'); do
    "$here/exec" "$1" ctr -n k8s.io tasks kill --signal SIGKILL "${id#containerd://}"
  done
  operators "$1" delete pods --grace-period=0 --force
}
