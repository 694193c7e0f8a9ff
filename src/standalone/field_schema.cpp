#include "standalone/field_schema.h"

#include <fmt/core.h>

#include <cctype>

#include "standalone/openapi_kinds.h"

namespace godwit::standalone {

namespace {

// One type a line: `Name: field type, ...`. Types: str int bool quantity time any, map (of str), quantities (map of
// quantity), []T, or another name of this table. `any` keeps whatever it is given.
constexpr std::string_view kTable = R"(
Meta: name str, generateName str, namespace str, uid str, resourceVersion str, generation int, creationTimestamp time, deletionTimestamp time, deletionGracePeriodSeconds int, labels map, annotations map, ownerReferences []Owner, finalizers []str, managedFields []any, selfLink str
Owner: apiVersion str, kind str, name str, uid str, controller bool, blockOwnerDeletion bool
LocalRef: name str
TypedRef: apiGroup str, kind str, name str, namespace str
ObjectRef: apiVersion str, kind str, namespace str, name str, uid str, resourceVersion str, fieldPath str
Condition: type str, status str, reason str, message str, lastTransitionTime time, lastProbeTime time, lastHeartbeatTime time, observedGeneration int
LabelSelector: matchLabels map, matchExpressions []SelectorTerm
SelectorTerm: key str, operator str, values []str
Resources: limits quantities, requests quantities, claims []any
Namespace: spec NamespaceSpec, status NamespaceStatus
NamespaceSpec: finalizers []str
NamespaceStatus: phase str, conditions []Condition
Secret: data map, stringData map, type str, immutable bool
ConfigMap: data map, binaryData map, immutable bool
ServiceAccount: secrets []ObjectRef, imagePullSecrets []LocalRef, automountServiceAccountToken bool
PersistentVolumeClaim: spec ClaimSpec, status ClaimStatus
ClaimSpec: accessModes []str, selector LabelSelector, resources Resources, volumeName str, storageClassName str, volumeMode str, dataSource TypedRef, dataSourceRef TypedRef, volumeAttributesClassName str
ClaimStatus: phase str, accessModes []str, capacity quantities, conditions []Condition, allocatedResources quantities, allocatedResourceStatuses map, currentVolumeAttributesClassName str, modifyVolumeStatus any
PersistentVolume: spec VolumeSpec, status VolumeStatus
VolumeSpec: capacity quantities, accessModes []str, claimRef ObjectRef, persistentVolumeReclaimPolicy str, storageClassName str, mountOptions []str, volumeMode str, nodeAffinity any, hostPath HostPath, local LocalVolume, csi any, nfs any, volumeAttributesClassName str
VolumeStatus: phase str, message str, reason str, lastPhaseTransitionTime time
HostPath: path str, type str
LocalVolume: path str, fsType str
Service: spec ServiceSpec, status ServiceStatus
ServiceSpec: ports []ServicePort, selector map, clusterIP str, clusterIPs []str, type str, externalIPs []str, sessionAffinity str, sessionAffinityConfig any, loadBalancerIP str, loadBalancerSourceRanges []str, loadBalancerClass str, externalName str, externalTrafficPolicy str, internalTrafficPolicy str, healthCheckNodePort int, publishNotReadyAddresses bool, ipFamilies []str, ipFamilyPolicy str, allocateLoadBalancerNodePorts bool, trafficDistribution str
ServicePort: name str, protocol str, appProtocol str, port int, targetPort any, nodePort int
ServiceStatus: loadBalancer any, conditions []Condition
Event: involvedObject ObjectRef, reason str, message str, source EventSource, firstTimestamp time, lastTimestamp time, count int, type str, eventTime time, series any, action str, related ObjectRef, reportingComponent str, reportingInstance str
EventSource: component str, host str
Node: spec any, status any
Pod: spec PodSpec, status PodStatus
PodSpec: volumes []Volume, initContainers []Container, containers []Container, ephemeralContainers []any, restartPolicy str, terminationGracePeriodSeconds int, activeDeadlineSeconds int, dnsPolicy str, dnsConfig any, nodeSelector map, serviceAccountName str, serviceAccount str, automountServiceAccountToken bool, nodeName str, hostNetwork bool, hostPID bool, hostIPC bool, hostUsers bool, shareProcessNamespace bool, securityContext any, imagePullSecrets []LocalRef, hostname str, subdomain str, affinity any, schedulerName str, tolerations []any, hostAliases []any, priorityClassName str, priority int, readinessGates []any, runtimeClassName str, enableServiceLinks bool, preemptionPolicy str, overhead quantities, topologySpreadConstraints []any, setHostnameAsFQDN bool, os any, schedulingGates []any, resourceClaims []any, resources Resources
Volume: name str, persistentVolumeClaim VolumeClaim, secret VolumeSecret, configMap VolumeConfig, emptyDir EmptyDir, hostPath HostPath, projected any, downwardAPI any, csi any, nfs any, ephemeral any, image any
VolumeClaim: claimName str, readOnly bool
VolumeSecret: secretName str, items []KeyToPath, defaultMode int, optional bool
VolumeConfig: name str, items []KeyToPath, defaultMode int, optional bool
KeyToPath: key str, path str, mode int
EmptyDir: medium str, sizeLimit quantity
Container: name str, image str, command []str, args []str, workingDir str, ports []ContainerPort, envFrom []any, env []Env, resources Resources, resizePolicy []any, restartPolicy str, volumeMounts []VolumeMount, volumeDevices []VolumeDevice, livenessProbe any, readinessProbe any, startupProbe any, lifecycle any, terminationMessagePath str, terminationMessagePolicy str, imagePullPolicy str, securityContext any, stdin bool, stdinOnce bool, tty bool
ContainerPort: name str, hostPort int, containerPort int, protocol str, hostIP str
Env: name str, value str, valueFrom any
VolumeMount: name str, readOnly bool, mountPath str, subPath str, subPathExpr str, mountPropagation str, recursiveReadOnly str
VolumeDevice: name str, devicePath str
PodStatus: phase str, conditions []Condition, message str, reason str, nominatedNodeName str, hostIP str, hostIPs []any, podIP str, podIPs []any, startTime time, initContainerStatuses []any, containerStatuses []any, qosClass str, ephemeralContainerStatuses []any, resize str, resourceClaimStatuses []any, observedGeneration int
Job: spec JobSpec, status JobStatus
JobSpec: parallelism int, completions int, activeDeadlineSeconds int, podFailurePolicy any, successPolicy any, backoffLimit int, backoffLimitPerIndex int, maxFailedIndexes int, selector LabelSelector, manualSelector bool, template PodTemplate, ttlSecondsAfterFinished int, completionMode str, suspend bool, podReplacementPolicy str, managedBy str
PodTemplate: metadata Meta, spec PodSpec
JobStatus: conditions []Condition, startTime time, completionTime time, active int, succeeded int, failed int, terminating int, ready int, completedIndexes str, failedIndexes str, uncountedTerminatedPods any
Lease: spec LeaseSpec
LeaseSpec: holderIdentity str, leaseDurationSeconds int, acquireTime time, renewTime time, leaseTransitions int, strategy str, preferredHolder str
StorageClass: provisioner str, parameters map, reclaimPolicy str, mountOptions []str, allowVolumeExpansion bool, volumeBindingMode str, allowedTopologies []any
VolumeSnapshot: spec SnapshotSpec, status SnapshotStatus
SnapshotSpec: source SnapshotSource, volumeSnapshotClassName str
SnapshotSource: persistentVolumeClaimName str, volumeSnapshotContentName str
SnapshotStatus: boundVolumeSnapshotContentName str, creationTime time, readyToUse bool, restoreSize quantity, error any, volumeGroupSnapshotName str
VolumeSnapshotClass: driver str, parameters map, deletionPolicy str
VolumeSnapshotContent: spec ContentSpec, status any
ContentSpec: volumeSnapshotRef ObjectRef, deletionPolicy str, driver str, volumeSnapshotClassName str, source any, sourceVolumeMode str
CustomResourceDefinition: spec any, status any
Role: rules []Rule
Rule: verbs []str, apiGroups []str, resources []str, resourceNames []str, nonResourceURLs []str
RoleBinding: subjects []Subject, roleRef TypedRef
Subject: kind str, apiGroup str, name str, namespace str
)";

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string_view trim(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back()))) s.remove_suffix(1);
  return s;
}

// Calls `each` with the trimmed pieces between separators.
template <class Each>
void pieces(std::string_view s, char separator, Each each) {
  for (std::size_t start = 0; start < s.size();) {
    const auto end = std::min(s.find(separator, start), s.size());
    if (const auto piece = trim(s.substr(start, end - start)); !piece.empty()) each(piece);
    start = end + 1;
  }
}

std::map<std::string, Fields, std::less<>> readTable() {
  std::map<std::string, Fields, std::less<>> out;
  pieces(kTable, '\n', [&](std::string_view line) {
    const auto colon = line.find(':');
    auto& fields = out[std::string(line.substr(0, colon))];
    pieces(line.substr(colon + 1), ',', [&](std::string_view field) {
      const auto space = field.find(' ');
      fields.emplace_back(field.substr(0, space), field.substr(space + 1));
    });
  });
  return out;
}

const std::map<std::string, Fields, std::less<>>& table() {
  static const auto kTypes = readTable();
  return kTypes;
}

Json schemaNamed(std::string_view type) {
  static const Json kQuantity{{"anyOf", {{{"type", "integer"}}, {{"type", "string"}}}},
                              {"x-kubernetes-int-or-string", true}};
  if (type.starts_with("[]")) return {{"type", "array"}, {"items", schemaNamed(type.substr(2))}};
  if (type == "str") return {{"type", "string"}};
  if (type == "time") return {{"type", "string"}, {"nullable", true}};
  if (type == "int") return {{"type", "integer"}};
  if (type == "bool") return {{"type", "boolean"}};
  if (type == "quantity") return kQuantity;
  if (type == "map") return {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
  if (type == "quantities") return {{"type", "object"}, {"additionalProperties", kQuantity}};
  const auto it = table().find(type);
  if (it == table().end()) return {{"x-kubernetes-preserve-unknown-fields", true}};
  Json properties = Json::object();
  for (const auto& [name, of] : it->second) properties[name] = schemaNamed(of);
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

Json schemaOfKind(const std::string& kind) {
  Json out = schemaNamed(kind);
  Json& properties = out["properties"];
  properties["apiVersion"] = {{"type", "string"}};
  properties["kind"] = {{"type", "string"}};
  properties["metadata"] = schemaNamed("Meta");
  return out;
}

}  // namespace

const Json* fieldSchemaOf(const kube::ResourceType& type) {
  static const auto kSchemas = [] {
    std::map<std::string_view, Json> out;
    for (const auto* each : kube::resources::all()) {
      if (each->group == api::kGroup) {
        out[each->kind] = schemaOf(each->kind);
      } else if (table().contains(each->kind)) {
        out[each->kind] = schemaOfKind(std::string(each->kind));
      }
    }
    return out;
  }();
  const auto it = kSchemas.find(type.kind);
  return it == kSchemas.end() ? nullptr : &it->second;
}

}  // namespace godwit::standalone
