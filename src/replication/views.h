// Everything the controller keeps of the cluster, typed and trimmed; of Secrets only the names of their fields.
#pragma once
#include <set>

#include "api/core.h"
#include "api/replication.h"
#include "replication/view.h"

namespace godwit::replication {

struct Watched : api::Replication {
  std::string problem;  // the spec has a wrong type somewhere: spec is empty then
};
Watched watchedFromJson(const Json& object);

struct Named {  // kinds of which only metadata matters: service accounts, namespaces
  api::ObjectMeta meta;
};
struct SecretCard {
  api::ObjectMeta meta;
  std::set<std::string> fields;  // those that are not empty
};
SecretCard secretCard(const Json& object);

// Found by index are: replications by the PVC of the user's that they name, and children (jobs, pods, pvcs, snapshots)
// by the uid of their controller; a claim that is to be filled, by the name of the ReplicationDestination.
struct Views {
  explicit Views(const Clock& clock);
  View<Watched> sources, destinations;
  View<api::Job> jobs;
  View<api::Pod> pods;  // movers only
  View<api::Pvc> pvcs;
  View<api::VolumeSnapshot> snapshots;
  View<api::Service> services;
  View<SecretCard> secrets;
  View<Named> accounts, namespaces;

  View<Watched>& of(api::Role role) { return role == api::Role::Source ? sources : destinations; }
};

}  // namespace godwit::replication
