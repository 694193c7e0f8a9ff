#!/bin/sh
# secrets.sh DIRECTORY: the two Secrets, from the key files that ssh-keygen left in DIRECTORY.
set -eu
field() { printf '  %s: %s\n' "$1" "$(base64 -w0 <"$2")"; }
cat <<YAML
apiVersion: v1
kind: Secret
metadata:
  name: database-keys-source
  namespace: source
data:
$(field source "$1/source")
$(field source.pub "$1/source.pub")
$(field destination.pub "$1/destination.pub")
---
apiVersion: v1
kind: Secret
metadata:
  name: database-keys-destination
  namespace: dest
data:
$(field destination "$1/destination")
$(field destination.pub "$1/destination.pub")
$(field source.pub "$1/source.pub")
YAML
