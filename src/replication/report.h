// Conditions and their exact words: contract section 1.
#pragma once
#include "replication/trigger.h"
#include "replication/world.h"

namespace godwit::replication {

void reportSyncing(api::Replication& object, const std::string& note, TimePoint now);
void reportCleaningUp(api::Replication& object, const std::string& note, TimePoint now);
// Waiting for the trigger, or paused. `note` belongs to the iteration that has just ended; nullopt: keep what is there.
void reportIdle(api::Replication& object, const std::optional<std::string>& note, TimePoint now);
void reportError(api::Replication& object, const std::string& message, TimePoint now);

// Godwit has reconciled this object before: its Reconciled condition names a generation, which VolSync's never did.
bool servedByGodwit(const api::ReplicationStatus& status);

// Not empty where VolSync ignored spec.rsync.path and sshUser that Godwit would honour, and the user has not agreed
// yet.
std::string adoptionRefusal(const api::Replication& object);
// As reportError, but leaves no mark of ours: the question stays open.
void reportAdoptionRefusal(api::Replication& object, const std::string& message, TimePoint now);

}  // namespace godwit::replication
