#!/bin/sh
# push.sh DIRECTORY ADDRESS PORT KEYS: sends DIRECTORY to a ReplicationDestination with nothing but rsync and ssh.
# KEYS is a directory with the Secret's fields as files: source (mode 0600) and destination.pub.
set -eu
directory=$1 address=$2 port=$3 keys=$4
printf '[%s]:%s %s\n' "$address" "$port" "$(cut -d' ' -f1,2 "$keys/destination.pub")" >"$keys/known_hosts"
ssh="ssh -i $keys/source -p $port -o IdentitiesOnly=yes -o BatchMode=yes -o UserKnownHostsFile=$keys/known_hosts"
# The destination may just be getting ready for the next iteration.
attempts=0
until rsync -aAHXS --delete --exclude=/lost+found -e "$ssh" "$directory/" "root@$address:/"; do
  attempts=$((attempts + 1))
  [ $attempts -lt 10 ] || exit 1
  sleep 2
done
# Complete: the destination may take its snapshot now. Until it hears this it keeps listening.
$ssh "root@$address" shutdown 0
