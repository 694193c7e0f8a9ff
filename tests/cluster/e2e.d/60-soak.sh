# Thirty pairs that never rest, and an operator that is killed fifty times.
# shellcheck shell=bash disable=SC2154,SC2034
pairs=30 kills=50

test_soak_operator_killed() {
  local i written
  for i in $(seq $pairs); do volume src "data-$i"; done
  in_volume src "$(claims data- '')" 'for v in *; do echo $v >$v/name; head -c 1000000 /dev/urandom >$v/random; done; sync'
  for i in $(seq $pairs); do
    destination "there-$i" 'copyMethod: Direct, capacity: 64Mi, accessModes: [ReadWriteOnce]'
    introduce "there-$i"
    source_for "there-$i" "here-$i" "data-$i" 'copyMethod: Direct' '{}'
  done
  for i in $(seq $kills); do
    until_true 120 'an operator leads near' leads near
    kill_operators near
    echo "$(date +%T) killed $i times"
  done
  # What is written after that arrives as well.
  in_volume src "$(claims data- '')" 'for v in *; do echo more >$v/more; done; sync'
  for i in $(seq $pairs); do change "here-$i" '{"spec": {"trigger": {"manual": "last"}}}'; done
  for i in $(seq $pairs); do synced "here-$i" last 600; done
  written=$(in_volume src "$(claims data- '')" "$(sums data- '')")
  [ "$written" = "$(in_volume dst "$(claims volsync-there- -dst)" "$(sums volsync-there- -dst)")" ]
  [ "$(echo "$written" | sort -u | wc -l)" = $pairs ]
}
claims() { local all; all=$(printf "$1%s$2 " $(seq $pairs)); echo "${all% }"; } # PREFIX SUFFIX
sums() { echo "for i in \$(seq $pairs); do cat $1\$i$2/name $1\$i$2/more $1\$i$2/random | sha256sum; done"; }
