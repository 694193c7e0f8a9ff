// A whole world from one seed: two clusters, their users, the network between them and everything that goes wrong, in
// one thread under a clock that moves only when nobody has anything to do.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sim/inspector.h"
#include "sim/user.h"

namespace godwit::sim {

struct Plan {
  std::uint64_t seed = 0;
  std::int64_t iterations = 40;              // of sources, with faults, before everything calms down
  Duration longest = std::chrono::hours(4);  // of virtual time for them
  bool trace = false;
  // A sweep: one pair, one iteration, no fault but one at one operator: its death at the n-th write, or a mishap of its
  // n-th call. Both -1: no sweep.
  std::int64_t crashAtWrite = -1;
  bool crashBefore = false;
  Mishap mishap;
  int victim = 0;
  std::string sourceMethod = "Clone", destinationMethod = "Snapshot";
};

struct Verdict {
  std::vector<std::string> complaints;  // empty: all was well
  std::int64_t iterations = 0, crashes = 0, steps = 0, copies = 0;
  bool hit = false;  // the sweep's fault took place
};

Verdict live(const Plan& plan);

}  // namespace godwit::sim
