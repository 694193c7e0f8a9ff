# Sourced by the scripts here, after `here` is set to this directory: where things are, and what more than one needs.
# shellcheck shell=sh disable=SC2034,SC2154,SC3043  # variables for those who source this; `local`

cache=${GODWIT_CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/godwit-cluster}
bin=$cache/bin
clusters=$cache/clusters
programs=${KUBEBUILDER_ASSETS:+$KUBEBUILDER_ASSETS:}$bin   # for PATH, in the order of `tool`

die() { echo "${0##*/}: $*" >&2; exit 1; }

# A program of the cluster: the one in KUBEBUILDER_ASSETS where that has it, else the one `build` made.
tool() {
  if [ -x "${KUBEBUILDER_ASSETS:-/nonexistent}/$1" ]; then
    echo "$KUBEBUILDER_ASSETS/$1"
  else
    echo "$bin/$1"
  fi
}

need_tools() {
  local program
  for program; do
    [ -x "$(tool "$program")" ] || die "$program is not there; run tests/cluster/build"
  done
}

# Pids are reused; a pid together with its start time is not.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
remember() { echo "$2 $(start_time "$2")" >"$1"; }   # FILE PID
# alive FILE: prints the pid that `remember` wrote when that very process still runs (a zombie does not, unless threads
# of it are still ending: those keep its sockets open)
alive() {
  local pid started
  read -r pid started 2>/dev/null <"$1" || return 1
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] || return 1
  case $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) in
    '') return 1 ;;
    Z*) [ "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -gt 1 ] || return 1 ;;
  esac
  echo "$pid"
}

# end FILE [SIGNAL]: signals the process `remember` wrote and waits until it is gone
end() {
  local pid _
  pid=$(alive "$1") || return 0
  kill -s "${2:-TERM}" "$pid" 2>/dev/null || return 0
  for _ in $(seq 200); do
    alive "$1" >/dev/null || return 0
    sleep 0.05
  done
  kill -s KILL "$pid"
}

# until_true SECONDS WHAT COMMAND...: for what has no event to wait on
until_true() {
  local deadline=$(($(date +%s) + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt $deadline ] || die "still not so: $what ($*)"
    sleep 0.1
  done
}

# Everything of a cluster lies in 10.N.0.0/16, and all but pods and Services can be reached from a joined cluster:
# node 10.N.0.1, addresses for LoadBalancers 10.N.2.0/24, pods 10.N.1.0/24, Services 10.N.128.0/17.
plan_addresses() {
  net=10.$1
  node_ip=$net.0.1 pod_cidr=$net.1.0/24 lb_cidr=$net.2.0/24 service_cidr=$net.128.0/17 first_service_ip=$net.128.1
}

valid_name() {
  case $1 in ''|*[!a-z0-9-]*|-*) die "a cluster's name has letters, digits and dashes: '$1'" ;; esac
  [ ${#1} -le 12 ] || die "a cluster's name has at most 12 characters (network devices are named after it): '$1'"
}

# in_cluster NAME COMMAND...: runs it in the namespaces and cgroups of the cluster, with its kubectl first in PATH
in_cluster() {
  local init
  valid_name "$1"
  init=$(alive "$clusters/$1/init.pid") || die "no cluster '$1' is up"
  (
    . "$clusters/$1/plan"
    . "$here/cgroup.sh"
    enter_cgroups "$cgroup"
    shift
    export KUBECONFIG=/run/cluster/admin.kubeconfig PATH="$programs:$PATH"
    exec nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --wdns="$PWD" "$@"
  )
}
