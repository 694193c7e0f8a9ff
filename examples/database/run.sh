#!/bin/sh
# A database that is written to while it replicates: run.sh [sqlite|postgres]; README.md says what is proven.
kind=${1:-sqlite}
. "$(dirname "$0")/../lib.sh"
grep -q 'points in time' "$work/godwit.log" || {
  echo "SKIPPED: the pool here has no snapshots (no btrfs, or not root); a database needs a point in time"
  exit 0
}
prefix() { # "COUNT LAST" on stdin: writes 1 to LAST are all there; prints LAST
  read -r count last
  [ "$count" = "$last" ] || { echo "of writes 1 to $last only $count are there" >&2; return 1; }
  echo "$last"
}

step "A volume with a $kind database"
"$GODWIT" apply -f "$here/claim.yaml"
volume_is_there() { volume=$(ls -d "$data"/pool/volumes/pvc-* 2>/dev/null) && [ -n "$volume" ]; }
until_true 30 volume_is_there
. "$here/$kind.sh"
init
write_one

step "A pair"
"$GODWIT" keys database --source-namespace source --destination-namespace dest >"$work/secrets.yaml"
"$GODWIT" apply -f "$work/secrets.yaml" -f "$here/pair.yaml"
until_true 120 image_is_not dest/database-destination ""
before=$(readlink "$data/images/dest/database-destination/latest")

step "A writer that never rests"
(while [ ! -e "$work/stop" ]; do write_one; done) &
writer=$!
for round in 1 2 3; do
  written=$(last_written)
  "$GODWIT" sync -n source database-source --timeout 300
  until_true 60 image_is_not dest/database-destination "$before"
  before=$(readlink "$data/images/dest/database-destination/latest")
  held=$(verify "$before")
  echo "round $round: $written writes when the sync was asked for, the image holds 1 to $held"
  [ "$held" -ge "$written" ] || { echo "writes are missing" >&2; exit 1; }
done
touch "$work/stop"
wait $writer || true
stop_database
echo OK
