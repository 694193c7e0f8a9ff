# Sourced by tests/docs/run: what its pages' hidden commands use.
# shellcheck shell=bash disable=SC2154  # work, output, page, root are the runner's
. "$root/tests/deploy/operator.sh"
line=0 steps=0 passed=0 finished='' expected=''

at() { line=$1; : >"$output"; expected=1; }
told() { steps=$((steps + 1)); }
passed_over() { passed=$((passed + 1)); expected=''; }

# Each line of stdin in the output so far, in order; "…" is anything within a line.
expect() {
  local shown pattern from=1 found
  line=$1
  [ -n "$expected" ] || { cat >/dev/null; return 0; }
  while IFS= read -r shown; do
    pattern=$(printf '%s' "$shown" | sed 's/[][\.*^$]/\\&/g; s/…/.*/g; s/  */ \\+/g')
    found=$(tail -n "+$from" "$output" | grep -n -m1 -- "$pattern" | cut -d: -f1) || { echo "not in the output: $shown"; return 1; }
    from=$((from + found))
  done
}

finish() {
  local status=$?
  operator_ends
  if [ -z "$finished" ]; then
    echo "docs: ${page##*/}:$line failed (status $status); the output was:" >&2
    tail -n 40 "$output" >&2
    [ ! -s "$work/operator.log" ] || { echo "docs: the operator said:" >&2; tail -n 20 "$work/operator.log" >&2; }
    [ "$status" != 0 ] || status=1
  else
    echo "docs: ${page##*/}: $steps steps passed, $passed need a node and were left out"
  fi
  rm -rf "$work"
  exit $status
}
trap finish EXIT

install() {
  kubectl apply --server-side -k deploy/kustomize/base
  kubectl wait --for=condition=Established crd/replicationsources.volsync.backube crd/replicationdestinations.volsync.backube
  operator_runs
}
uninstall() {
  operator_ends
  kubectl delete -k deploy/kustomize/base --wait=false --ignore-not-found
}

# Objects as VolSync leaves them: synchronized, by hand or with a field that it ignored, and one of another mover's.
volsync_was_here() {
  local name
  kubectl create -f "$here/volsync.yaml"
  for name in orders invoices; do
    kubectl -n shop patch replicationsource $name --subresource=status --type=merge -p '{"status": {"lastSyncTime": "2026-01-02T03:04:05Z",
      "lastSyncDuration": "7.774288635s", "lastManualSync": "first", "conditions": [{"type": "Synchronizing", "status": "False",
      "reason": "WaitingForManual", "message": "Waiting for manual trigger", "lastTransitionTime": "2026-01-02T03:04:05Z"}]}}'
  done
}
