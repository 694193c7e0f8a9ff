// Everything the controller keeps of the cluster, typed and trimmed; of Secrets only the names of their fields.
#pragma once
#include <set>

#include "api/core.h"
#include "api/replication.h"
#include "replication/clock_skew.h"
#include "replication/view.h"

namespace godwit::replication {

struct Watched : api::Replication {
  std::string problem;                // the spec has a wrong type somewhere: spec is empty then
  std::vector<std::string> nonsense;  // fields of the status that do not parse; the next write takes them away
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
struct RoleCard {
  api::ObjectMeta meta;
  Json rules;
};

// Secrets of users that were found whole. They are not watched; one that no failing or waiting mover has put in doubt
// is not read again for each iteration.
class Vouched {
 public:
  bool contains(const kube::NamespacedName& secret) const {
    std::scoped_lock lock(mutex_);
    return secrets_.contains(secret);
  }
  void add(const kube::NamespacedName& secret) {
    std::scoped_lock lock(mutex_);
    secrets_.insert(secret);
  }
  void doubt(const kube::NamespacedName& secret) {
    std::scoped_lock lock(mutex_);
    secrets_.erase(secret);
  }

 private:
  mutable std::mutex mutex_;
  std::set<kube::NamespacedName> secrets_;
};

// Since when something is waited for, by our own clock: the API server's, which a creationTimestamp tells, may be an
// hour away. What nobody has asked about for an hour is forgotten.
class Waits {
 public:
  TimePoint since(const std::string& uid, TimePoint now) {
    std::scoped_lock lock(mutex_);
    if (waits_.size() >= many_) {
      std::erase_if(waits_, [&](const auto& each) { return each.second.asked + std::chrono::hours(1) < now; });
      many_ = std::max(kRemembered, 2 * waits_.size());  // looking through all of them is rare, however many there are
    }
    auto& wait = waits_.try_emplace(uid, Wait{now, now}).first->second;
    wait.asked = now;
    return wait.since;
  }

 private:
  struct Wait {
    TimePoint since, asked;
  };
  static constexpr std::size_t kRemembered = 256;
  std::mutex mutex_;
  std::size_t many_ = kRemembered;
  std::map<std::string, Wait> waits_;
};

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
  View<RoleCard> roles;  // these two only where the cluster has SecurityContextConstraints
  View<Named> roleBindings;
  Vouched userKeys;
  Waits waits;
  ClockSkew skew;

  View<Watched>& of(api::Role role) { return role == api::Role::Source ? sources : destinations; }
};

}  // namespace godwit::replication
