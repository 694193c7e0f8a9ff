# Thirty pairs that never rest, and an operator that is killed fifty times.
# shellcheck shell=bash disable=SC2154,SC2034
test_soak_operator_killed() {
  local i
  for i in $(seq 30); do volume src "data-$i"; done
  for i in $(seq 30); do
    in_volume src "data-$i" "echo $i >number; head -c 1000000 /dev/urandom >random; sync"
    destination "there-$i" 'copyMethod: Direct, capacity: 64Mi, accessModes: [ReadWriteOnce]'
    introduce "there-$i"
    source_for "there-$i" "here-$i" "data-$i" 'copyMethod: Direct' '{}'
  done
  for i in $(seq 50); do
    until_true 60 'an operator leads near' leads near
    kill_operators near
    echo "killed $i times"
  done
  for i in $(seq 30); do change "here-$i" '{"spec": {"trigger": {"manual": "last"}}}'; done
  for i in $(seq 30); do
    synced "here-$i" last 300
    same src "data-$i" dst "volsync-there-$i-dst"
  done
}
