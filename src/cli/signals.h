// SIGINT, SIGTERM and SIGHUP as an event that threads can wait for, instead of something that happens to them.
#pragma once
#include <stop_token>
#include <thread>

#include "base/fd.h"

namespace godwit::cli {

// Make it in main's thread before any other thread starts: they inherit the blocked signals. The first signal requests
// the stop; the second one ends the process at once (a user who insists).
class StopSignal {
 public:
  static Result<StopSignal> install();
  StopSignal(StopSignal&&) = default;
  ~StopSignal();

  std::stop_token token() const { return source_.get_token(); }
  void wait() const;  // until a signal came

 private:
  StopSignal(UniqueFd signals, Pipe end);
  std::stop_source source_;
  UniqueFd signals_;
  Pipe end_;  // written to when nobody waits for signals any more
  std::thread thread_;
};

}  // namespace godwit::cli
