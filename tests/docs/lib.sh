# Sourced by tests/docs/run: what its pages' hidden commands use.
# shellcheck shell=bash disable=SC2154  # work, output, page, root are the runner's
line=0 steps=0 passed=0 finished='' operator='' expected=''

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
  [ -z "$operator" ] || kill "$operator" 2>/dev/null || true
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

eventually() { # SECONDS COMMAND...
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "still not so: $*"; return 1; }
    sleep 0.2
  done
}

# Where pods run, the release's own; where none do, the binary under test with the release's arguments, account and rights.
operator_runs() {
  local kubeconfig=$work/operator.kubeconfig image
  if [ -n "${GODWIT_NODE:-}" ]; then
    kubectl -n godwit-system rollout status deployment/godwit --timeout=180s
    return
  fi
  [ -z "$operator" ] || kill "$operator"
  kubectl config view --raw --minify --flatten >"$kubeconfig"
  kubectl --kubeconfig "$kubeconfig" config set-credentials operator --token="$(kubectl -n godwit-system create token godwit)"
  kubectl --kubeconfig "$kubeconfig" config set-context --current --user=operator
  mapfile -t arguments < <(kubectl -n godwit-system get deployment godwit -o jsonpath='{range .spec.template.spec.containers[0].args[*]}{@}{"\n"}{end}' |
    grep -v -e '^--health-probe-bind-address' -e '^--metrics-bind-address')
  image=$(kubectl -n godwit-system get deployment godwit -o jsonpath='{.spec.template.spec.containers[0].env[?(@.name=="MOVER_IMAGE")].value}')
  POD_NAMESPACE=godwit-system MOVER_IMAGE=$image "$GODWIT" operator --kubeconfig "$kubeconfig" --health-probe-bind-address=0 \
    --metrics-bind-address=0 "${arguments[@]}" >"$work/operator.log" 2>&1 &
  operator=$!
  eventually 60 grep -q -e leads -e '"leads' "$work/operator.log"
}

install() {
  kubectl apply --server-side -k deploy/kustomize/base
  kubectl wait --for=condition=Established crd/replicationsources.volsync.backube crd/replicationdestinations.volsync.backube
  operator_runs
}
uninstall() {
  [ -z "$operator" ] || kill "$operator"
  operator=
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
