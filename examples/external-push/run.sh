#!/bin/sh
# A push from outside, with nothing but rsync and ssh: README.md, executed.
. "$(dirname "$0")/../lib.sh"

step "Keys and a destination"
"$GODWIT" keys push --source-namespace dest --destination-namespace dest >"$work/secrets.yaml"
"$GODWIT" apply -f "$here/destination.yaml" -f "$work/secrets.yaml"
field() { sed -n "s/^  $1: //p" "$work/secrets.yaml" | head -n 1 | base64 -d; }
(umask 077; field source >"$work/source")
field destination.pub >"$work/destination.pub"

step "Where it listens"
published() { "$GODWIT" status -n dest -o json | grep -q '"port": "[0-9]'; }
until_true 60 published
value() { "$GODWIT" status -n dest -o json | sed -n "s/.*\"$1\": \"\(.*\)\".*/\1/p"; }
address=$(value address) port=$(value port)
echo "$address port $port"

step "Push, twice"
mkdir "$work/files"
echo one >"$work/files/one"
ln "$work/files/one" "$work/files/twin"
"$here/push.sh" "$work/files" "$address" "$port" "$work"
until_true 60 image_is_not dest/pushed ""
same "$work/files" "$data/images/dest/pushed/latest"
first=$(readlink "$data/images/dest/pushed/latest")
echo two >"$work/files/two"
"$here/push.sh" "$work/files" "$address" "$port" "$work"
until_true 60 image_is_not dest/pushed "$first"
same "$work/files" "$data/images/dest/pushed/latest"
echo OK
