# Sourced by e2e: pairs of replications between the clusters `near` (sources) and `far` (destinations), and what users do
# with them. Every test has namespaces of its own, named after it.
# shellcheck shell=bash disable=SC2154  # here, work: of who sources this

near() { KUBECONFIG=$clusters/near/kubeconfig "$bin/kubectl" "$@"; }
far() { KUBECONFIG=$clusters/far/kubeconfig "$bin/kubectl" "$@"; }
operator_log() { "$1" -n godwit-system logs deployment/godwit --tail=-1 2>&1 | grep -v DEBUG; }

prepare() { # CLUSTER IMAGE
  "$here/load" "$1" "$2"
  "$1" apply --server-side -k "$root/deploy/kustomize/base"
  "$1" -n godwit-system rollout status deployment/godwit --timeout=90s
}

# A test in a subshell that ends at its first failure; then nothing that Godwit made may be left.
one_test() { # NAME
  local name=${1//_/-}
  (
    set -eu
    near create namespace "$name" && far create namespace "$name"
    ns=$name
    "test_$1"
  ) || { tell "$name"; drop "$name"; return 1; }
  drop "$name"
}
tell() { # NAMESPACE
  for cluster in near far; do
    "$cluster" -n "$1" get replicationsources,replicationdestinations -o yaml
    "$cluster" -n "$1" get pods,pvc,volumesnapshots,jobs,services
    "$cluster" -n "$1" get events --sort-by=.lastTimestamp | tail -n 30
  done
}
drop() { # NAMESPACE
  for cluster in near far; do
    "$cluster" -n "$1" delete replicationsources,replicationdestinations --all --timeout=60s
    until_true 60 "nothing that Godwit made is left in $cluster" nothing_made "$cluster" "$1"
    "$cluster" delete namespace "$1" --timeout=120s
  done
}
nothing_made() {
  [ -z "$("$1" -n "$2" get jobs,pods,pvc,volumesnapshots,services,secrets,serviceaccounts -o name -l app.kubernetes.io/created-by=volsync,!e2e-keeps)" ]
}

# --- what users make ---

# volume CLUSTER NAME [CLASS]
volume() {
  "$1" -n "$ns" apply -f - <<END
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $2}
spec: {storageClassName: ${3:-disk}, accessModes: [ReadWriteOnce], resources: {requests: {storage: ${size:-64Mi}}}}
END
}
# in_volume CLUSTER CLAIM SCRIPT: runs it in the volume, at /v, by a Job; prints what it prints
in_volume() {
  local job=user-$RANDOM$RANDOM
  "$1" -n "$ns" create -f - >/dev/null <<END
apiVersion: batch/v1
kind: Job
metadata: {name: $job}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      containers:
      - name: user
        image: localhost/busybox:1
        workingDir: /v
        command: [sh, -ec, $(printf '%s' "$3" | json)]
        volumeMounts: [{name: v, mountPath: /v}]
      volumes: [{name: v, persistentVolumeClaim: {claimName: $2}}]
END
  "$1" -n "$ns" wait --for=condition=Complete --timeout=90s "job/$job" >/dev/null || { "$1" -n "$ns" describe "job/$job" pod >&2; return 1; }
  "$1" -n "$ns" logs "job/$job"
  "$1" -n "$ns" delete "job/$job" --cascade=foreground >/dev/null
}
json() { python3 -c 'import json,sys; print(json.dumps(sys.stdin.read()))'; }
fill='mkdir -p d; for i in $(seq 200); do echo "$i" >d/$i; done; ln d/1 hard; ln -s d/2 soft; chown 1234:5678 d/3; chmod 4711 d/4; head -c 3000000 /dev/urandom >random; sync'
# Names, owners, modes, times and contents of everything in a volume.
print='find . -not -name lost+found -exec stat -c "%n %u %g %a %F %h" {} + | grep -v "^\. " | sort | sha256sum; find . -type f -exec sha256sum {} + | sort | sha256sum'
same() { # CLUSTER CLAIM CLUSTER CLAIM
  local one two
  one=$(in_volume "$1" "$2" "$print") && two=$(in_volume "$3" "$4" "$print") && [ "$one" = "$two" ] || {
    echo "$1 $2 and $3 $4 differ: $one / $two" >&2
    return 1
  }
}

# destination NAME RSYNC-YAML [TRIGGER]: in far, reached through a LoadBalancer whose address this assigns
destination() {
  far -n "$ns" apply -f - <<END
apiVersion: volsync.backube/v1alpha1
kind: ReplicationDestination
metadata: {name: $1}
spec: {trigger: ${3:-{\}}, rsync: {serviceType: LoadBalancer, $2}}
END
  local service
  until_true 30 "a Service of $1" service_of "$1"
  service=$(service_of "$1")
  next_address=$(($(cat "$work/address" 2>/dev/null || echo 9) + 1))
  echo "$next_address" >"$work/address"
  far -n "$ns" patch service "$service" --subresource=status --type=merge \
    -p "{\"status\": {\"loadBalancer\": {\"ingress\": [{\"ip\": \"$(lb_prefix).$next_address\"}]}}}"
  far -n "$ns" wait --for=jsonpath='{.status.rsync.address}' --timeout=30s "replicationdestination/$1"
  far -n "$ns" wait --for=jsonpath='{.status.rsync.sshKeys}' --timeout=30s "replicationdestination/$1"
}
service_of() {
  far -n "$ns" get services -o jsonpath="{.items[?(@.metadata.ownerReferences[0].name=='$1')].metadata.name}" | grep .
}
lb_prefix() { ( . "$clusters/far/plan"; echo "${lb_cidr%.0/*}" ); }

# introduce DESTINATION: copies the Secret that its status names to near, as the manual tells
introduce() {
  local secret
  secret=$(far -n "$ns" get replicationdestination "$1" -o jsonpath='{.status.rsync.sshKeys}')
  far -n "$ns" get secret "$secret" -o json |
    python3 -c 'import json,sys; s = json.load(sys.stdin); s["metadata"] = {"name": s["metadata"]["name"]}; print(json.dumps(s))' |
    near -n "$ns" apply -f -
}
# source_for DESTINATION NAME CLAIM RSYNC-YAML [TRIGGER]
source_for() {
  near -n "$ns" apply -f - <<END
apiVersion: volsync.backube/v1alpha1
kind: ReplicationSource
metadata: {name: $2}
spec:
  sourcePVC: $3
  trigger: ${5:-{manual: one\}}
  rsync:
    address: $(far -n "$ns" get replicationdestination "$1" -o jsonpath='{.status.rsync.address}')
    sshKeys: $(far -n "$ns" get replicationdestination "$1" -o jsonpath='{.status.rsync.sshKeys}')
    $4
END
}
synced() { # SOURCE VALUE [SECONDS]
  near -n "$ns" wait --for=jsonpath='{.status.lastManualSync}'="$2" --timeout="${3:-90}s" "replicationsource/$1"
}
sync() { # SOURCE VALUE
  near -n "$ns" patch replicationsource "$1" --type=merge -p "{\"spec\": {\"trigger\": {\"manual\": \"$2\"}}}"
  synced "$1" "$2"
}
image_of() { far -n "$ns" get replicationdestination "$1" -o jsonpath='{.status.latestImage.name}'; }
newer_image() { [ -n "$(image_of "$1")" ] && [ "$(image_of "$1")" != "$2" ]; }
imaged() { until_true 60 "a new image of $1" newer_image "$1" "${2:-}"; } # DESTINATION [PREVIOUS]
# restored DESTINATION CLAIM [CLASS]: a claim that is filled from the newest image
restored() {
  far -n "$ns" apply -f - <<END
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: $2}
spec:
  storageClassName: ${3:-disk}
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: ${size:-64Mi}}}
  dataSourceRef: {apiGroup: volsync.backube, kind: ReplicationDestination, name: $1}
END
}
mover() { # CLUSTER: prints the name of the running mover's pod
  "$1" -n "$ns" get pods -l app.kubernetes.io/component=rsync-mover --field-selector=status.phase=Running -o name | grep .
}
