// Where a mover belongs: under Direct beside the pods that use its volume.
#pragma once
#include "replication/plan.h"
#include "replication/steps.h"

namespace godwit::replication {

bool ownMover(const Pass& pass, const api::Pod& pod);  // of this object, whichever Job made it
bool alive(const api::Pod& pod);

// MayLag: as late as a watch is, and cheap.
enum class Freshness { MayLag, Now };
// This side's movers and, under Direct, everybody who may use the volume. From the server: our own cache may be late by
// all that a broken watch has missed, and two movers at one volume ruin it.
Result<std::vector<api::Pod>> podsAround(Pass& pass, Freshness freshness);

// Direct: the volume may be attached to one node only, so the mover joins the pod that uses it. Among equals `current`
// wins: where it is already meant to run.
Placement placement(const Pass& pass, const std::vector<api::Pod>& pods, const std::string& current = "");

// The mover waits for a node that its volume's users have left, or that is no more: nobody but us changes its Job.
Result<bool> misplaced(Pass& pass, const api::Job& job);

}  // namespace godwit::replication
