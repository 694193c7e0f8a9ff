# The same on PostgreSQL, which runs as its own user: init, write_one, last_written, verify IMAGE.
[ "$(id -u)" = 0 ] || { echo "SKIPPED: PostgreSQL was NOT tried: it keeps its files as user postgres, which needs root"; exit 0; }
# No cluster of its own: only the programs are wanted. What says so goes when they are there.
install_postgres() {
  conf=/etc/postgresql-common dropin=/etc/postgresql-common/createcluster.d/godwit-example.conf installed=0
  mkdir -p "$conf/createcluster.d"
  echo 'create_main_cluster = false' >"$dropin"
  "$here/../../scripts/need" examples || installed=$?
  rm -f "$dropin"
  rmdir "$conf/createcluster.d" "$conf" 2>/dev/null || true
  return $installed
}
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || install_postgres
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
sockets=$work/sockets
mkdir -p "$sockets"
chown postgres "$sockets"
# User postgres has to reach its volume through directories that are Godwit's.
open_path() { p=$1; while [ "$p" != / ] && [ "$p" != "${TMPDIR:-/tmp}" ]; do chmod a+x "$p"; p=$(dirname "$p"); done; }
as_postgres() { (cd / && runuser -u postgres -- "$@"); }
query() { as_postgres "$bin/psql" -X -A -t -q -h "$sockets" -p "$1" -d postgres -c "$2"; }
start_on() { as_postgres "$bin/pg_ctl" -w -s -D "$1" -l "$1/server.log" -o "-k $sockets -p $2 -c listen_addresses=''" start; }

init() {
  open_path "$volume"
  mkdir "$volume/pg"
  chown postgres "$volume/pg"
  as_postgres "$bin/initdb" -D "$volume/pg" --data-checksums -A trust >/dev/null
  start_on "$volume/pg" 5432
  query 5432 'CREATE TABLE writes (n bigint PRIMARY KEY)'
}
write_one() { query 5432 'INSERT INTO writes SELECT coalesce(max(n), 0) + 1 FROM writes'; }
last_written() { query 5432 'SELECT coalesce(max(n), 0) FROM writes'; }
verify() {
  rm -rf "$work/check"
  cp -a "$1/pg" "$work/check"
  rm -f "$work/check/postmaster.pid"
  open_path "$work"
  start_on "$work/check" 5433
  query 5433 "SELECT count(*) || ' ' || coalesce(max(n), 0) FROM writes" | prefix || { as_postgres "$bin/pg_ctl" -s -D "$work/check" -m immediate stop; return 1; }
  as_postgres "$bin/pg_ctl" -w -s -D "$work/check" -m fast stop
  as_postgres "$bin/pg_checksums" --check -D "$work/check" >/dev/null
}
stop_database() { as_postgres "$bin/pg_ctl" -w -s -D "$volume/pg" -m immediate stop || true; }
