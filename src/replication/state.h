// The phase of a replication, read from the object's status alone (design rule 1), and the only two moves there are.
#pragma once
#include <variant>

#include "api/replication.h"

namespace godwit::replication {

// Never synchronised, nothing started.
struct Initial {};
// lastSyncStartTime is there: an iteration is in progress, whoever started it.
struct Synchronizing {
  TimePoint since;
};
// An iteration has ended; its leftovers go, then the object is idle until its trigger fires.
struct CleaningUp {
  TimePoint lastSync;
};
using State = std::variant<Initial, Synchronizing, CleaningUp>;

State stateOf(const api::ReplicationStatus& status);
const char* name(const State& state);
// Initial -> Synchronizing -> CleaningUp -> Synchronizing; staying is always allowed.
bool allowed(const State& from, const State& to);

// Times in status have second precision; what is written is what will be read back.
TimePoint wholeSeconds(TimePoint t);

// -> Synchronizing. Internal when the transition is not in the table.
Result<void> startSync(api::ReplicationStatus& status, TimePoint now);
// -> CleaningUp: lastSyncTime, lastSyncDuration; lastSyncStartTime goes. Returns the duration (never negative).
Result<Duration> finishSync(api::ReplicationStatus& status, TimePoint now);

}  // namespace godwit::replication
