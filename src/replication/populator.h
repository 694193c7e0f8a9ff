// Volume populator: a claim whose dataSourceRef names a ReplicationDestination is filled from that destination's newest
// image, as the AnyVolumeDataSource convention of Kubernetes does it (contract section 2):
//
//   an intermediate claim of the same class is provisioned from the image; its volume is handed to the user's claim by
//   way of the volume's claimRef; once the user's claim is bound the intermediate one goes.
//
// Every look starts from what exists, as a replication's does: any step may be interrupted and entered again.
#pragma once
#include "replication/reconciler.h"

namespace godwit::replication {

// One look at one claim and one move.
Next populate(Doors& doors, const api::NamespacedName& claim);

// Tells the cluster who fills such claims. False: it does not have the VolumePopulator kind, and there is nothing to
// do.
Result<bool> registerPopulator(kube::Api& api);

}  // namespace godwit::replication
