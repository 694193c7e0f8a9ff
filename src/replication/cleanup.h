// After an iteration: what it alone needed goes, and images that a newer published one has replaced.
#pragma once
#include "replication/steps.h"

namespace godwit::replication {

// Deletes only what this object controls: children with its clean-up label, images other than latestImage, the
// provisioned volume under cleanupTempPVC. Children labelled do-not-delete are let go instead. Call it after the status
// that publishes latestImage has been written. Done: nothing is left (deletions may still be under way).
// Wait: a mover is kept for debugging.
Outcome cleanUp(Pass& pass);

// The published image, once a user wants to keep it: the garbage collector asks no label when the object itself is
// deleted. While an image is being made it stays ours, because an iteration waits for it.
Result<void> letGoOfKeptImage(Pass& pass);

}  // namespace godwit::replication
