#include "standalone/journal.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/fd.h"

namespace godwit::standalone {

namespace {

constexpr int kApplicationId = 0x476f6477;  // "Godw"
constexpr int kSchemaVersion = 1;

struct CloseStatement {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using Statement = std::unique_ptr<sqlite3_stmt, CloseStatement>;
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// A statement is ready for its next use when this goes out of scope.
class Use {
 public:
  explicit Use(const Statement& s) : s_(s.get()) {}
  ~Use() {
    sqlite3_reset(s_);
    sqlite3_clear_bindings(s_);
  }
  void bind(int at, std::string_view text) {
    sqlite3_bind_text(s_, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  void bind(int at, std::uint64_t value) { sqlite3_bind_int64(s_, at, static_cast<sqlite3_int64>(value)); }
  int step() { return sqlite3_step(s_); }
  std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(s_, column));
    return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(s_, column))) : std::string();
  }
  std::uint64_t integer(int column) const { return static_cast<std::uint64_t>(sqlite3_column_int64(s_, column)); }

 private:
  sqlite3_stmt* s_;
};

bool isDamage(int code) {
  return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

// Not with .recover: Debian's sqlite3 is built without what that needs. A dump of a damaged file ends in a ROLLBACK,
// and has neither of the numbers.
std::string rescue(const std::string& path) {
  return fmt::format(
      "(sqlite3 {0} .dump | sed 's/^ROLLBACK.*/COMMIT;/'; echo 'PRAGMA application_id={1}; PRAGMA user_version={2};') "
      "| sqlite3 {0}.new",
      path, kApplicationId, kSchemaVersion);
}

Error damaged(const std::string& path, std::string detail) {
  std::replace(detail.begin(), detail.end(), '\n', ' ');
  return {Errc::Invalid,
          fmt::format("{0} is damaged ({1}); it was left as it is. Put back a copy, or salvage what is readable with "
                      "`{2}` and move {0}.new in its place (without {0}-wal and {0}-shm), or move it away to start "
                      "empty",
                      path, detail, rescue(path))};
}

Error sqliteError(sqlite3* db, const std::string& path) {
  const int code = sqlite3_extended_errcode(db);
  if (isDamage(code)) return damaged(path, sqlite3_errmsg(db));
  if ((code & 0xff) == SQLITE_FULL)
    return {Errc::Io, fmt::format("{}: the disk is full; free some space and try again", path)};
  if ((code & 0xff) == SQLITE_BUSY) return {Errc::Conflict, fmt::format("{} is held by another process", path)};
  return {Errc::Io, fmt::format("{}: {}", path, sqlite3_errmsg(db))};
}

// SQLite's own lock cannot say who holds it; this file can. The lock goes with the process, however it ends.
Result<UniqueFd> lockFor(const std::string& path) {
  const auto name = path + ".lock";
  UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return errnoError(name);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errnoError(name);
    const auto holder = readFile(name, 64);
    const auto pid = holder.ok() && !holder->empty() ? *holder : std::string("unknown");
    return Error{Errc::Conflict,
                 fmt::format("{} is held by process {}; stop it first, or choose another data directory", path, pid)};
  }
  if (::ftruncate(fd.get(), 0) != 0) return errnoError(name);
  GODWIT_TRY(writeAll(fd.get(), std::to_string(::getpid())));
  return fd;
}

}  // namespace

struct Journal::Impl {
  std::string path;
  UniqueFd lock;
  Database db;
  Statement begin, put, erase, count, commit, rollback;
  std::function<Result<void>()> fault;

  Error error() const { return sqliteError(db.get(), path); }

  Result<void> run(const std::string& sql) {
    if (sqlite3_exec(db.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return error();
    return {};
  }

  Result<Statement> prepare(std::string_view sql) {
    sqlite3_stmt* out = nullptr;
    if (sqlite3_prepare_v3(db.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &out,
                           nullptr) != SQLITE_OK) {
      return error();
    }
    return Statement(out);
  }

  // The first column of the first row.
  Result<std::string> ask(std::string_view sql) {
    GODWIT_ASSIGN(const auto statement, prepare(sql));
    Use use(statement);
    const int code = use.step();
    if (code == SQLITE_ROW) return use.text(0);
    if (code == SQLITE_DONE) return std::string();
    return error();
  }

  Result<void> step(const Statement& statement) {
    Use use(statement);
    if (use.step() != SQLITE_DONE) return error();
    return {};
  }

  Result<void> openDatabase() {
    constexpr off_t kSmallest = 512;  // SQLite would take a shorter file for an empty one and overwrite it
    struct stat file {};
    if (::stat(path.c_str(), &file) == 0 && file.st_size > 0 && file.st_size < kSmallest)
      return damaged(path, "file is too short");
    sqlite3* raw = nullptr;
    const auto mask = ::umask(0077);  // it holds Secrets
    const int code =
        sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    db.reset(raw);
    Result<void> outcome = code == SQLITE_OK ? setUp() : Result<void>(error());
    ::umask(mask);
    return outcome;
  }

  Result<void> setUp() {
    GODWIT_TRY(run("PRAGMA locking_mode=EXCLUSIVE"));
    GODWIT_TRY(check());
    GODWIT_TRY(run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-512"));
    GODWIT_TRY(run(fmt::format(
        "BEGIN IMMEDIATE;"
        "CREATE TABLE IF NOT EXISTS objects(resource TEXT, ns TEXT, name TEXT, body TEXT NOT NULL,"
        " PRIMARY KEY(resource, ns, name)) WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS counter(id INTEGER PRIMARY KEY CHECK(id = 0), version INTEGER NOT NULL);"
        "INSERT OR IGNORE INTO counter VALUES(0, 0);"
        "PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
        kApplicationId, kSchemaVersion)));
    GODWIT_ASSIGN(begin, prepare("BEGIN IMMEDIATE"));
    GODWIT_ASSIGN(put, prepare("INSERT OR REPLACE INTO objects(resource, ns, name, body) VALUES(?, ?, ?, ?)"));
    GODWIT_ASSIGN(erase, prepare("DELETE FROM objects WHERE resource = ? AND ns = ? AND name = ?"));
    GODWIT_ASSIGN(count, prepare("UPDATE counter SET version = ? WHERE id = 0"));
    GODWIT_ASSIGN(commit, prepare("COMMIT"));
    GODWIT_ASSIGN(rollback, prepare("ROLLBACK"));
    return {};
  }

  // Before the first write: a file that is damaged, of another program or of a newer Godwit stays untouched.
  Result<void> check() {
    GODWIT_ASSIGN(const auto id, ask("PRAGMA application_id"));
    GODWIT_ASSIGN(const auto version, ask("PRAGMA user_version"));
    GODWIT_ASSIGN(const auto tables, ask("SELECT count(*) FROM sqlite_master"));
    if (tables == "0") return {};
    if (id != std::to_string(kApplicationId)) {
      return Error{Errc::Invalid,
                   fmt::format("{} is a database of another program; choose another data directory", path)};
    }
    if (std::stoi(version) > kSchemaVersion) {
      return Error{Errc::Invalid,
                   fmt::format("{} was written by a newer Godwit (format {}, this one knows {}); use that version",
                               path, version, kSchemaVersion)};
    }
    GODWIT_ASSIGN(const auto verdict, ask("PRAGMA quick_check(1)"));
    if (verdict != "ok") return damaged(path, verdict);
    return {};
  }

  Result<void> change(const Row& row, std::uint64_t version) {
    {
      const bool gone = row.body.empty();
      Use use(gone ? erase : put);
      use.bind(1, row.resource);
      use.bind(2, row.ns);
      use.bind(3, row.name);
      if (!gone) use.bind(4, row.body);
      if (use.step() != SQLITE_DONE) return error();
    }
    {
      Use use(count);
      use.bind(1, version);
      if (use.step() != SQLITE_DONE) return error();
    }
    if (fault) GODWIT_TRY(fault());
    return step(commit);
  }
};

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() = default;

Result<std::unique_ptr<Journal>> Journal::open(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  GODWIT_ASSIGN(impl->lock, lockFor(path));
  GODWIT_TRY(impl->openDatabase());
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

Result<std::uint64_t> Journal::load(const std::function<Result<void>(Row)>& each) {
  GODWIT_ASSIGN(const auto rows, impl_->prepare("SELECT resource, ns, name, body FROM objects"));
  Use use(rows);
  int code = SQLITE_ROW;
  while ((code = use.step()) == SQLITE_ROW) {
    if (auto read = each({use.text(0), use.text(1), use.text(2), use.text(3)}); !read.ok()) {
      return damaged(impl_->path, read.error().message);
    }
  }
  if (code != SQLITE_DONE) return impl_->error();
  GODWIT_ASSIGN(const auto counter, impl_->prepare("SELECT version FROM counter WHERE id = 0"));
  Use last(counter);
  if (last.step() != SQLITE_ROW) return damaged(impl_->path, "no write counter");
  return last.integer(0);
}

Result<void> Journal::write(const Row& row, std::uint64_t version) {
  GODWIT_TRY(impl_->step(impl_->begin));
  auto outcome = impl_->change(row, version);
  // SQLite has rolled back by itself after some errors, not after others.
  if (!outcome.ok() && sqlite3_get_autocommit(impl_->db.get()) == 0) {
    if (auto undone = impl_->step(impl_->rollback); !undone.ok())
      outcome.error().message += "; " + undone.error().message;
  }
  return outcome;
}

void Journal::setFault(std::function<Result<void>()> fault) {
  impl_->fault = std::move(fault);
}

}  // namespace godwit::standalone
