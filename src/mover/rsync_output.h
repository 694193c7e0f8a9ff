// What rsync says on its way (--info=progress2,stats2 --no-h, LC_ALL=C), read into numbers.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/mover_result.h"

namespace godwit::mover {

struct Progress {
  std::int64_t bytes = 0;  // of file data dealt with, matched or sent
  int percent = 0;         // of what rsync knows so far
  std::int64_t rate = 0;   // bytes a second
  std::int64_t etaSeconds = 0;
  std::int64_t filesTransferred = 0;
  std::int64_t filesLeft = 0, filesKnown = 0;  // entries still to check, entries found
};

// One line of progress2, or nothing when it is another line.
std::optional<Progress> parseProgress(std::string_view line);

// Takes one line of stats2 into the result; false when it is another line.
bool takeStatistic(std::string_view line, api::MoverResult& result);

// What stderr told about a transfer.
class ErrorDigest {
 public:
  void take(std::string_view line);
  const std::string& first() const { return first_; }  // the first line that names a cause
  bool noSpace() const { return noSpace_; }
  std::int64_t vanished() const { return vanished_; }

 private:
  std::string first_;
  bool noSpace_ = false;
  std::int64_t vanished_ = 0;
};

}  // namespace godwit::mover
