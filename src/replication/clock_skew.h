// By how much the API server's clock differs from ours. Nothing of Godwit's depends on it, but schedules, names of
// images and times in the status are by our clock, and those of objects by the server's: whoever reads both should
// know.
#pragma once
#include <atomic>
#include <string>

#include "base/clock.h"

namespace godwit::replication {

class ClockSkew {
 public:
  // What the server says that the time is, and what we say.
  void observe(TimePoint theirs, TimePoint ours) { seconds_ = (theirs - ours) / std::chrono::seconds(1); }
  // For condition and event; "" while less than a minute was last seen.
  std::string remark() const;

 private:
  std::atomic<std::int64_t> seconds_ = 0;
};

}  // namespace godwit::replication
