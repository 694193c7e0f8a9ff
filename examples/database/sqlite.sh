# A SQLite database with numbered writes: init, write_one, last_written, verify IMAGE.
init() {
  sqlite3 "$volume/app.db" 'PRAGMA journal_mode = WAL; CREATE TABLE writes (n INTEGER PRIMARY KEY, at TEXT)' >/dev/null
}
write_one() {
  sqlite3 -cmd '.timeout 5000' "$volume/app.db" \
    "INSERT INTO writes SELECT coalesce(max(n), 0) + 1, datetime('now') FROM writes"
}
last_written() { sqlite3 -cmd '.timeout 5000' "$volume/app.db" 'SELECT coalesce(max(n), 0) FROM writes'; }
verify() { # prints how many writes the image holds; fails when it is broken or one is missing
  rm -rf "$work/check"
  mkdir "$work/check"
  cp "$1"/app.db* "$work/check/"
  [ "$(sqlite3 "$work/check/app.db" 'PRAGMA integrity_check')" = ok ]
  sqlite3 "$work/check/app.db" 'SELECT count(*) || " " || coalesce(max(n), 0) FROM writes' | prefix
}
stop_database() { :; }
