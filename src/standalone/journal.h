// The store's memory across restarts: one SQLite file (WAL, synchronous=FULL), one transaction per write.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit::standalone {

class Journal {
 public:
  // Opens or creates `path` for this process alone. Conflict "... is held by process PID"; Invalid: damaged, foreign or
  // newer than this program, with the remedy, and the file untouched.
  static Result<std::unique_ptr<Journal>> open(const std::string& path);
  ~Journal();

  struct Row {
    std::string resource, ns, name;  // resource: "plural.group"
    std::string body;                // the object's JSON; empty: deleted
  };
  // Every object, in any order, then the number of the last write. Invalid: a row that is not what was written.
  Result<std::uint64_t> load(const std::function<Result<void>(Row row)>& each);
  // Durable when it returns: the row and `version` as the number of the last write. An error: nothing has changed.
  Result<void> write(const Row& row, std::uint64_t version);

  // For tests: asked before each commit; an error is treated as SQLite's own.
  void setFault(std::function<Result<void>()> fault);

 private:
  struct Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::standalone
