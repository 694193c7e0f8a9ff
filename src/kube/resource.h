// The kinds Godwit talks about, as the API server names them.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "api/replication.h"

namespace godwit::kube {

using api::NamespacedName;

struct ResourceType {
  std::string_view group;    // "" is core
  std::string_view version;  // "v1"
  std::string_view plural;   // "persistentvolumeclaims"
  std::string_view kind;     // "PersistentVolumeClaim"
  bool namespaced = true;
  bool status = false;  // has the /status subresource
  std::string apiVersion() const;
  // "/api/v1/namespaces/NS/secrets" or "/apis/...": ns empty = across all namespaces.
  std::string path(std::string_view ns = {}) const;
};

namespace resources {
extern const ResourceType kNamespaces, kSecrets, kConfigMaps, kServiceAccounts, kPersistentVolumeClaims,
    kPersistentVolumes, kServices, kEvents, kPods, kNodes, kJobs, kLeases, kStorageClasses, kVolumeSnapshots,
    kVolumeSnapshotClasses, kVolumeSnapshotContents, kCustomResourceDefinitions, kRoles, kRoleBindings,
    kReplicationSources, kReplicationDestinations,
    kVolumePopulators;  // not among all(): a cluster may do without it
const std::vector<const ResourceType*>& all();
// By apiVersion and kind, or nullptr.
const ResourceType* byKind(std::string_view apiVersion, std::string_view kind);
const ResourceType* byPlural(std::string_view group, std::string_view plural);
const ResourceType& of(api::Role role);
}  // namespace resources

NamespacedName keyOf(const Json& object);

}  // namespace godwit::kube
