// What storage was asked for. A claim or a snapshot keeps the class it was made with; one that storage cannot make is
// made anew once the spec asks for something else, and nobody has to delete it. The spec's words are written on each:
// what is there need not look like what was asked for, since an admission webhook may have changed it.
#pragma once
#include "replication/steps.h"

namespace godwit::replication {

// Class, access modes and capacity; the class of snapshots.
std::string askedVolume(const api::Replication& object);
std::string askedSnapshot(const api::Replication& object);
// False also for what carries no such mark: that is VolSync's, or of an earlier version.
bool askedOtherwise(const api::ObjectMeta& made, const std::string& asked);

// For a snapshot that is not ready; the next pass takes another.
Outcome makeSnapshotAnew(Pass& pass, const api::VolumeSnapshot& snapshot);

}  // namespace godwit::replication
