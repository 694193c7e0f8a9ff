#!/bin/sh
# Keys made by ssh-keygen instead of by Godwit: README.md, executed.
. "$(dirname "$0")/../lib.sh"

step "Two key pairs"
ssh-keygen -q -t ed25519 -N '' -C source -f "$work/source"
ssh-keygen -q -t ecdsa -N '' -C destination -f "$work/destination"

step "Manifests"
"$GODWIT" apply -f "$here/pair.yaml"
"$here/secrets.sh" "$work" | "$GODWIT" apply -f -

step "Sync"
"$GODWIT" sync -n source database-source --timeout 120
until_true 30 image_is_not dest/database-destination ""
"$GODWIT" status -A
echo OK
