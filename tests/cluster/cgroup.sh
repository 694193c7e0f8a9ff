# Sourced: a cgroup of its own for every cluster, in each hierarchy of the host, which is the root of all cgroups the
# cluster sees. Both versions of cgroups; a mixed host (controllers in version 1) counts as version 1.
# shellcheck shell=sh disable=SC3043

unified() { [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; }

# Mount point and controllers of each hierarchy of version 1: one a line. Those with a name instead of controllers
# (systemd's) count as well: the kubelet wants its cgroups in every hierarchy it finds.
hierarchies() {
  local point type options chosen option _
  while read -r _ point type options _; do
    [ "$type" = cgroup ] || continue
    chosen=
    for option in $(echo "$options" | tr , ' '); do
      case $option in cpu|cpuacct|cpuset|memory|devices|freezer|blkio|pids|hugetlb|net_cls|net_prio|perf_event|rdma|misc|name=*)
        chosen=$chosen${chosen:+,}$option ;; esac
    done
    echo "$point $chosen"
  done </proc/self/mounts
}

# Directories of the cluster's cgroup $1.
cgroups() {
  local point _
  if unified; then
    echo "/sys/fs/cgroup/$1"
  else
    hierarchies | while read -r point _; do echo "$point/$1"; done
  fi
}

make_cgroups() {
  local dir file
  ! unified || delegate /sys/fs/cgroup
  for dir in $(cgroups "$1"); do
    mkdir -p "$dir"
    for file in cpuset.cpus cpuset.mems; do   # version 1 starts a cpuset empty, and then nothing may enter it
      [ ! -e "$dir/$file" ] || unified || cat "$dir/../$file" >"$dir/$file"
    done
  done
}

# Version 2 gives a controller to children only where it is switched on, and, but for the host's root, only where no
# process is: in a container whose root holds processes, they move to a leaf.
delegate() {
  local controller pid
  for controller in cpu memory pids; do
    grep -qw $controller "$1/cgroup.subtree_control" && continue
    echo "+$controller" >"$1/cgroup.subtree_control" 2>/dev/null && continue
    mkdir -p "$1/processes"
    while read -r pid; do echo "$pid" >"$1/processes/cgroup.procs" 2>/dev/null || true; done <"$1/cgroup.procs"
    echo "+$controller" >"$1/cgroup.subtree_control"
  done
}

# The shell that calls this moves (0 means the writer).
enter_cgroups() {
  local dir
  for dir in $(cgroups "$1"); do
    [ ! -d "$dir/processes" ] || dir=$dir/processes
    echo 0 >"$dir/cgroup.procs"
  done
}

# Once the first process is in and has made it the root of its namespace.
settle_cgroups() {
  ! unified || delegate "/sys/fs/cgroup/$1"
}

# For use inside: what the cluster's programs see at /sys/fs/cgroup.
mount_cgroups() {
  local list point options name one
  local point _
  if unified; then
    mount -t sysfs sysfs /sys
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    return
  fi
  list=$(hierarchies)
  mount -t sysfs sysfs /sys
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  echo "$list" | while read -r point options; do
    name=${point##*/}
    mkdir "/sys/fs/cgroup/$name"
    mount -t cgroup -o "$options" cgroup "/sys/fs/cgroup/$name"
    case $name in *,*) for one in $(echo "$name" | tr , ' '); do ln -s "$name" "/sys/fs/cgroup/$one"; done ;; esac
  done
}

# A killed process may keep its cgroup busy for a moment after it can no longer be seen.
remove_cgroups() {
  local dir _
  for dir in $(cgroups "$1"); do
    for _ in $(seq 100); do
      [ -d "$dir" ] || break
      find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.05
    done
    [ ! -d "$dir" ] || echo "down: $dir is still in use" >&2
  done
}
