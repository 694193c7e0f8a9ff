#include "kube/resource.h"

namespace godwit::kube {

std::string ResourceType::apiVersion() const {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::string ResourceType::path(std::string_view ns) const {
  std::string out = (group.empty() ? "/api/" : "/apis/") + apiVersion();
  if (namespaced && !ns.empty()) out += "/namespaces/" + std::string(ns);
  return out + "/" + std::string(plural);
}

namespace resources {

constexpr bool kCluster = false, kNamespaced = true, kHasStatus = true;
const ResourceType kNamespaces{"", "v1", "namespaces", "Namespace", kCluster, kHasStatus};
const ResourceType kSecrets{"", "v1", "secrets", "Secret"};
const ResourceType kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
const ResourceType kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
const ResourceType kPersistentVolumeClaims{"",          "v1",      "persistentvolumeclaims", "PersistentVolumeClaim",
                                           kNamespaced, kHasStatus};
const ResourceType kPersistentVolumes{"", "v1", "persistentvolumes", "PersistentVolume", kCluster, kHasStatus};
const ResourceType kServices{"", "v1", "services", "Service", kNamespaced, kHasStatus};
const ResourceType kEvents{"", "v1", "events", "Event"};
const ResourceType kPods{"", "v1", "pods", "Pod", kNamespaced, kHasStatus};
const ResourceType kNodes{"", "v1", "nodes", "Node", kCluster, kHasStatus};
const ResourceType kJobs{"batch", "v1", "jobs", "Job", kNamespaced, kHasStatus};
const ResourceType kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
const ResourceType kStorageClasses{"storage.k8s.io", "v1", "storageclasses", "StorageClass", kCluster};
const ResourceType kVolumeSnapshots{"snapshot.storage.k8s.io", "v1",        "volumesnapshots",
                                    "VolumeSnapshot",          kNamespaced, kHasStatus};
const ResourceType kVolumeSnapshotClasses{"snapshot.storage.k8s.io", "v1", "volumesnapshotclasses",
                                          "VolumeSnapshotClass", kCluster};
const ResourceType kVolumeSnapshotContents{"snapshot.storage.k8s.io", "v1",     "volumesnapshotcontents",
                                           "VolumeSnapshotContent",   kCluster, kHasStatus};
const ResourceType kCustomResourceDefinitions{"apiextensions.k8s.io",     "v1",     "customresourcedefinitions",
                                              "CustomResourceDefinition", kCluster, kHasStatus};
const ResourceType kRoles{"rbac.authorization.k8s.io", "v1", "roles", "Role"};
const ResourceType kRoleBindings{"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"};
const ResourceType kReplicationSources{api::kGroup,         "v1alpha1",  "replicationsources",
                                       "ReplicationSource", kNamespaced, kHasStatus};
const ResourceType kReplicationDestinations{
    api::kGroup, "v1alpha1", "replicationdestinations", "ReplicationDestination", kNamespaced, kHasStatus};
const ResourceType kVolumePopulators{"populator.storage.k8s.io", "v1beta1", "volumepopulators", "VolumePopulator",
                                     kCluster};

const std::vector<const ResourceType*>& all() {
  static const std::vector<const ResourceType*> types = {&kNamespaces,
                                                         &kSecrets,
                                                         &kConfigMaps,
                                                         &kServiceAccounts,
                                                         &kPersistentVolumeClaims,
                                                         &kPersistentVolumes,
                                                         &kServices,
                                                         &kEvents,
                                                         &kPods,
                                                         &kNodes,
                                                         &kJobs,
                                                         &kLeases,
                                                         &kStorageClasses,
                                                         &kVolumeSnapshots,
                                                         &kVolumeSnapshotClasses,
                                                         &kVolumeSnapshotContents,
                                                         &kCustomResourceDefinitions,
                                                         &kRoles,
                                                         &kRoleBindings,
                                                         &kReplicationSources,
                                                         &kReplicationDestinations};
  return types;
}

const ResourceType* byKind(std::string_view apiVersion, std::string_view kind) {
  for (const auto* type : all()) {
    if (type->kind == kind && type->apiVersion() == apiVersion) return type;
  }
  return nullptr;
}

const ResourceType* byPlural(std::string_view group, std::string_view plural) {
  for (const auto* type : all()) {
    if (type->group == group && type->plural == plural) return type;
  }
  return nullptr;
}

const ResourceType& of(api::Role role) {
  return role == api::Role::Source ? kReplicationSources : kReplicationDestinations;
}

}  // namespace resources

NamespacedName keyOf(const Json& object) {
  return {text(object, "metadata", "namespace"), text(object, "metadata", "name")};
}

}  // namespace godwit::kube
