# Sourced by tests that need an operator with the rights of a release. They set `work`, a directory of their own.
# Where pods run (GODWIT_NODE) that is the release's; where none do, the binary GODWIT with the release's arguments.
# shellcheck shell=bash disable=SC2154
operator_pid='' metrics_port=0

eventually() { # SECONDS COMMAND...
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "still not so: $*"; return 1; }
    sleep 0.2
  done
}

operator_ends() {
  [ -n "$operator_pid" ] || return 0
  kill "$operator_pid" 2>/dev/null || true
  wait "$operator_pid" 2>/dev/null || true
  operator_pid=
}

of_deployment() { kubectl -n godwit-system get deployment godwit -o jsonpath="$1"; }

operator_runs() { # [FLAGS...]
  local image
  if [ -n "${GODWIT_NODE:-}" ]; then
    kubectl -n godwit-system rollout status deployment/godwit --timeout=180s
    return
  fi
  operator_ends
  "$(dirname "${BASH_SOURCE[0]}")/../cluster/account" godwit-system godwit "$work/operator.kubeconfig"
  mapfile -t arguments < <(of_deployment '{range .spec.template.spec.containers[0].args[*]}{@}{"\n"}{end}' |
    grep -v -e '^--health-probe-bind-address' -e '^--metrics-bind-address')
  image=$(of_deployment '{.spec.template.spec.containers[0].env[?(@.name=="MOVER_IMAGE")].value}')
  : >"$work/operator.log"
  POD_NAMESPACE=godwit-system MOVER_IMAGE=$image "$GODWIT" operator --kubeconfig "$work/operator.kubeconfig" \
    --health-probe-bind-address=0 --metrics-bind-address="$metrics_port" "${arguments[@]}" "$@" >"$work/operator.log" 2>&1 &
  operator_pid=$!
  eventually 60 grep -q ' leads' "$work/operator.log"
}
