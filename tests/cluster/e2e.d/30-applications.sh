# Applications that go on while their volume is copied, and those that start from a replica.
# shellcheck shell=bash disable=SC2154,SC2034

# Appends a number to a log, then writes it to one of a hundred files in turn. So at any one point in time the log has
# all numbers up to some k, each file the last one that is its turn, and only k's own file may lag behind.
write_on='mkdir -p ring; i=0; while :; do i=$((i + 1)); echo $i >>log; echo $i >ring/$((i % 100)); usleep 1000; done'
# Prints k of a copy that is of one point in time.
point_in_time='k=$(wc -l <log); [ $k -gt 100 ]; seq $k | cmp - log
for j in $(seq 0 99); do
  want=$((k - (k - j) % 100)) got=$(cat ring/$j)
  [ "$got" = $want ] || { [ $want = $k ] && case $got in ""|$((k - 100))) ;; *) false ;; esac; } ||
    { echo "ring/$j has $got, the log ends at $k" >&2; exit 1; }
done
echo $k'

test_snapshots_while_the_application_writes() { copied_while_written Snapshot; }
test_clones_while_the_application_writes() { copied_while_written Clone; }
copied_while_written() { # METHOD
  volume src data
  application src writer data "$write_on"
  until_true 60 'there is something to copy' written 300
  destination there 'copyMethod: Snapshot, capacity: 64Mi, accessModes: [ReadWriteOnce]'
  introduce there
  source_for there here data "copyMethod: $1"
  local before image first second
  before=$(lines)
  synced here one
  imaged there
  image=$(image_of there)
  restored there copy-one
  first=$(in_volume dst copy-one "$point_in_time")
  before=$(lines)
  sync here two
  imaged there "$image"
  restored there copy-two
  second=$(in_volume dst copy-two "$point_in_time")
  echo "copies of the moments $first and $second; before the second sync $before"
  [ "$second" -ge "$before" ] && [ "$before" -gt "$first" ]
}
lines() { src exec writer -- sh -c 'wc -l <log'; }
written() { [ "$(lines)" -ge "$1" ]; }

# A database, as its own program sees the replica: sound, and with every transaction up to some moment.
test_database_restored_from_the_replica() {
  pod_image=localhost/sqlite:1
  database_image "$work/sqlite.tar"
  for cluster in near far; do "$here/load" $cluster "$work/sqlite.tar"; done
  volume src data
  application src writer data 'sqlite3 db "create table t (n integer primary key, text)"
    i=0; while :; do i=$((i + 1)); sqlite3 -cmd ".timeout 9000" db "insert into t values ($i, hex(randomblob(200)))"; done'
  until_true 60 'there is something to copy' rows 50
  destination there 'copyMethod: Snapshot, capacity: 64Mi, accessModes: [ReadWriteOnce]'
  introduce there
  local before class
  before=$(count)
  source_for there here data 'copyMethod: Snapshot'
  synced here one
  imaged there
  for class in disk disk-wait; do
    restored there "copy-$class" $class
    in_volume dst "copy-$class" "test \"\$(sqlite3 db 'pragma integrity_check')\" = ok
      sqlite3 db 'select count(*), max(n) from t' >/tmp/rows; cat /tmp/rows
      IFS='|' read -r count last </tmp/rows; test \$count = \$last; test \$count -ge $before"
  done
}
count() { src exec writer -- sqlite3 -readonly -cmd '.timeout 9000' db 'select count(*) from t'; }
rows() { [ "$(count)" -ge "$1" ]; }
database_image() { # OUT: busybox and sqlite3 with its libraries
  local root file
  command -v sqlite3 >/dev/null || die 'sqlite3 is not there; run scripts/need test'
  root=$(mktemp -d)
  mkdir -p "$root/bin" "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/"
  "$root/bin/busybox" --list | while read -r file; do [ "$file" = busybox ] || ln -s busybox "$root/bin/$file"; done
  for file in $(command -v sqlite3) $(ldd "$(command -v sqlite3)" | grep -o '/[^ ]*'); do
    install -D "$(realpath "$file")" "$root/$file"
  done
  "$here/image" "$1" localhost/sqlite:1 "$root"
  rm -rf "$root"
}
