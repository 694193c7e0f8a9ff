#include "replication/state.h"

#include <array>

namespace godwit::replication {

State stateOf(const api::ReplicationStatus& status) {
  if (status.lastSyncStartTime) return Synchronizing{*status.lastSyncStartTime};
  if (status.lastSyncTime) return CleaningUp{*status.lastSyncTime};
  return Initial{};
}

const char* name(const State& state) {
  static constexpr std::array<const char*, 3> kNames = {"Initial", "Synchronizing", "CleaningUp"};
  return kNames[state.index()];
}

bool allowed(const State& from, const State& to) {
  static constexpr bool kTable[3][3] = {
      // to: Initial, Synchronizing, CleaningUp
      {true, true, false},  // from Initial
      {false, true, true},  // from Synchronizing
      {false, true, true},  // from CleaningUp
  };
  return kTable[from.index()][to.index()];
}

TimePoint wholeSeconds(TimePoint t) {
  return std::chrono::floor<std::chrono::seconds>(t);
}

static Result<void> check(const State& from, const State& to) {
  if (allowed(from, to)) return {};
  return Error{Errc::Internal, fmt::format("no transition from {} to {}", name(from), name(to))};
}

Result<void> startSync(api::ReplicationStatus& status, TimePoint now) {
  GODWIT_TRY(check(stateOf(status), Synchronizing{now}));
  if (!status.lastSyncStartTime) status.lastSyncStartTime = wholeSeconds(now);
  return {};
}

Result<Duration> finishSync(api::ReplicationStatus& status, TimePoint now) {
  GODWIT_TRY(check(stateOf(status), CleaningUp{now}));
  if (!status.lastSyncStartTime) return Error{Errc::Internal, "no synchronization is in progress"};
  const Duration took = std::max(Duration{0}, now - *status.lastSyncStartTime);
  status.lastSyncTime = wholeSeconds(now);
  status.lastSyncDuration = took;
  status.lastSyncStartTime.reset();
  return took;
}

}  // namespace godwit::replication
