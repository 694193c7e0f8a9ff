// From a pod to what the Runner starts: volumes, environment and command, or the reason why not yet.
#pragma once
#include <string>
#include <variant>

#include "standalone/cluster.h"
#include "standalone/runner.h"

namespace godwit::standalone {

struct Waiting {  // as containerStatuses[].state.waiting says it
  std::string reason, message;
};

// Resolves the first container of `pod`. Waiting names the missing Secret, key, ConfigMap or claim. An Error is the
// server's. `hostAddress` answers fieldRefs of addresses.
Result<std::variant<ContainerSpec, Waiting>> resolvePod(Cluster& cluster, const Json& pod,
                                                        const std::string& hostAddress);

// The host path of a bound claim's volume; nullopt while it is not bound.
std::optional<std::string> claimPath(const Cluster& cluster, const Json& pvc);
// The host path a PersistentVolume stands for (spec.local or spec.hostPath); empty for other kinds.
std::string volumePathOf(const Json& persistentVolume);

}  // namespace godwit::standalone
