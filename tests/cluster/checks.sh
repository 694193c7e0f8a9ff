# Sourced by the scripts that test something on a running cluster: named checks, counted.
# shellcheck shell=sh disable=SC3043
passed=0 failed=0

since() { echo $((($(date +%s%N) - $1) / 1000000)); }
# check NAME COMMAND...: one line for a check that passes, its output as well for one that fails
check() {
  local name=$1 output began
  shift
  began=$(date +%s%N)
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    echo "ok    $name ($(since "$began") ms)"
  else
    failed=$((failed + 1))
    printf 'FAIL  %s (%s ms)\n%s\n' "$name" "$(since "$began")" "$output"
  fi
}

finish() {
  echo "$passed passed, $failed failed"
  [ $failed = 0 ]
}

# use_cluster NAME: kubectl talks to it from here on, from the host
use_cluster() { eval "$("$here/env" "$1")"; }

# completed NAMESPACE JOB: waits for its end, and shows its log unless that is success
completed() {
  kubectl -n "$1" wait --for=condition=Complete --timeout=90s "job/$2" && return 0
  kubectl -n "$1" describe "job/$2" pod
  kubectl -n "$1" logs "job/$2"
  return 1
}
ready() { kubectl -n "$1" wait --for=condition=Ready --timeout=60s "pod/$2"; }

# new_namespace NAME: returns when pods can be made in it
new_namespace() {
  kubectl create namespace "$1"
  kubectl -n "$1" wait --for=create --timeout=30s serviceaccount/default
}

# gone NAMESPACE: deletes it and waits until nothing is left of its volumes and snapshots
gone() {
  kubectl delete namespace "$1" --timeout=120s
  until_true 60 'no volume or snapshot is left' nothing_of "$1"
}
nothing_of() {
  local left
  left=$(kubectl get persistentvolumes -o jsonpath="{.items[?(@.spec.claimRef.namespace=='$1')].metadata.name}"
    kubectl get volumesnapshotcontents -o jsonpath="{.items[?(@.spec.volumeSnapshotRef.namespace=='$1')].metadata.name}") &&
    [ -z "$left" ]
}
