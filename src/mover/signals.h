// SIGTERM, SIGINT and SIGHUP as an event beside all others, so that a mover ends its children and still reports.
#pragma once
#include "base/fd.h"
#include "base/result.h"

namespace godwit::mover {

class SignalWatch {
 public:
  SignalWatch() = default;
  // Blocks the three signals for this process; children started by Process::spawn get them back.
  static Result<SignalWatch> make();

  int fd() const { return fd_.get(); }  // readable when one has come
  // The signal that came first, 0 when none has. Kept: once told to end, always told.
  int received();

 private:
  UniqueFd fd_;
  int first_ = 0;
};

}  // namespace godwit::mover
