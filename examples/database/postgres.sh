# The same on PostgreSQL, which runs as its own user: init, write_one, last_written, verify IMAGE.
command -v pg_lsclusters >/dev/null || {
  [ "$(id -u)" = 0 ] || { echo "PostgreSQL is not installed and only root can change that" >&2; exit 2; }
  echo "Installing postgresql"
  mkdir -p /etc/postgresql-common
  # No cluster of its own: only the programs are wanted.
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends postgresql >"$work/apt.log" 2>&1 ||
    { tail "$work/apt.log" >&2; exit 1; }
}
[ "$(id -u)" = 0 ] || { echo "this part runs as root: PostgreSQL keeps its files as user postgres" >&2; exit 2; }
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
