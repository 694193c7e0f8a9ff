// The children an object wants, as the JSON that creates them. Pure: the same object and world give the same text.
// Names, labels, ownership and the pod contract: contract section 2.
#pragma once
#include "replication/world.h"

namespace godwit::replication {

// apiVersion, kind and metadata of a child: namespace, name, created-by label, controller ownerReference.
Json child(const api::Replication& object, const kube::ResourceType& type, const std::string& name);
// The same, removed when the iteration is cleaned up.
Json childOfIteration(const api::Replication& object, const kube::ResourceType& type, const std::string& name);

// Source, Clone: a clone of world.given. Snapshot: planCopySnapshot first, then planRestore once it is ready.
// Capacity, class and access modes: the spec's, else the source PVC's (a snapshot's restoreSize when that is larger).
Json planClone(const api::Replication& object, const World& world);
Json planCopySnapshot(const api::Replication& object, const World& world);
Json planRestore(const api::Replication& object, const World& world);
// Destination: the provisioned volume, and the snapshot `name` of the volume that received the data.
Json planDestinationVolume(const api::Replication& object);
Json planImage(const api::Replication& object, const std::string& pvc, const std::string& name);
// The name of the next image: later than `previous` even when the clock is not.
std::string nextImageName(const std::string& pvc, const std::string& previous, TimePoint now);
// The instant that an image's name ends in; nullopt when it is not the name of an image of `pvc`.
std::optional<TimePoint> instantOfImage(const std::string& pvc, const std::string& image);

// The intermediate claim that is provisioned from an image for `claim`, which then gets its volume.
std::string populationName(const api::Pvc& claim);
Json planPopulation(const api::Pvc& claim, const api::ImageReference& image, const std::string& imageSize);

Json planService(const api::Replication& object);
// Merge patch that makes an existing Service so; empty when it is.
Json servicePatch(const api::Replication& object, const api::Service& service);
Json planAccount(const api::Replication& object);
// OpenShift: what lets a mover's account use the constraints that its pod needs. Named like the account.
Json planRole(const api::Replication& object, const std::string& constraints);
Json planRoleBinding(const api::Replication& object);
// Merge patch that makes an existing Role so; empty when it is.
Json rolePatch(const RoleCard& role, const std::string& constraints);
Json planSecret(const api::Replication& object, const std::string& name, const api::StringMap& data);

// Where a mover must run because its volume is in use there.
struct Placement {
  std::string node;  // empty: anywhere
  Json tolerations;  // of the pod that uses the volume
};
// There is none yet: `world.job` is null. It says in its annotation what podHash() was when it was made.
Json planJob(const api::Replication& object, const World& world, const ControllerConfig& config,
             const Placement& placement);
// Of the pod that a Job made now would have, wherever it is placed: other nodes are no other pod.
std::string podHash(const api::Replication& object, const World& world, const ControllerConfig& config);

}  // namespace godwit::replication
