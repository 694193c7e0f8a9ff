# Shared by the run.sh of every example: a standalone Godwit of its own, in a directory that goes away at the end.
# GODWIT: the binary to use (default: the one ./run builds). KEEP=1 leaves the directory for a look around.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
GODWIT=${GODWIT:-$here/../../build/release/godwit}
[ -x "$GODWIT" ] || { echo "no $GODWIT: run ./run --once first, or set GODWIT" >&2; exit 2; }
work=$(mktemp -d "${TMPDIR:-/tmp}/godwit-example.XXXXXX")
data=$work/data
export KUBECONFIG="$data/kubeconfig"

"$GODWIT" standalone --data-dir "$data" --port 0 >"$work/godwit.log" 2>&1 &
server=$!
finish() {
  status=$?
  trap - EXIT
  : >"$work/stop" # for what an example runs in the background
  kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true
  if [ $status != 0 ]; then echo "FAILED; the end of Godwit's log:" >&2; tail -n 20 "$work/godwit.log" >&2; fi
  if [ -n "${KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
  exit $status
}
trap finish EXIT
trap 'exit 1' INT TERM

# until_true SECONDS COMMAND...: repeats the command until it succeeds.
until_true() {
  left=$(($1 * 5))
  shift
  until "$@"; do
    left=$((left - 1))
    [ $left -gt 0 ] || { echo "still not so: $*" >&2; return 1; }
    kill -0 "$server" 2>/dev/null || { echo "Godwit has ended" >&2; return 1; }
    sleep 0.2
  done
}
until_true 30 test -s "$KUBECONFIG"

step() { printf '\n== %s\n' "$*"; }
same() { # same DIRECTORY DIRECTORY: equal by content and metadata
  changes=$(rsync -anAHXSc --delete --itemize-changes --exclude=/lost+found "$1/" "$2/")
  [ -z "$changes" ] || { printf 'different:\n%s\n' "$changes" >&2; return 1; }
}
image_is_not() { # image_is_not NAMESPACE/NAME TARGET: the newest image is another one than TARGET
  [ -e "$data/images/$1/latest" ] && [ "$(readlink "$data/images/$1/latest")" != "$2" ]
}
