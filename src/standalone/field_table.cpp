#include "standalone/field_table.h"

#include <cctype>

namespace godwit::standalone {

namespace {

constexpr std::string_view kTable = R"(
Meta: name str 1, generateName str 2, namespace str 3, uid str 5, resourceVersion str 6, generation int 7, creationTimestamp time 8, deletionTimestamp time 9, deletionGracePeriodSeconds int? 10, labels map 11, annotations map 12, ownerReferences []Owner 13, finalizers []str 14, managedFields []any 17, selfLink str 4
Owner: apiVersion str 5, kind str 1, name str 3, uid str 4, controller bool? 6, blockOwnerDeletion bool? 7
LocalRef: name str 1
TypedRef: apiGroup str 1, kind str 2, name str 3, namespace str 4
ObjectRef: apiVersion str 5, kind str 1, namespace str 2, name str 3, uid str 4, resourceVersion str 6, fieldPath str 7
Condition: type str, status str, reason str, message str, lastTransitionTime time, lastProbeTime time, lastHeartbeatTime time, observedGeneration int
LabelSelector: matchLabels map 1, matchExpressions []SelectorTerm 2
SelectorTerm: key str 1, operator str 2, values []str 3
Resources: limits quantities 1, requests quantities 2, claims []any 3
Namespace: spec NamespaceSpec 2, status NamespaceStatus 3
NamespaceSpec: finalizers []str 1
NamespaceStatus: phase str, conditions []Condition
Secret: data bytes 2, stringData map 4, type str 3, immutable bool? 5
ConfigMap: data map 2, binaryData bytes 3, immutable bool? 4
ServiceAccount: secrets []ObjectRef 2, imagePullSecrets []LocalRef 3, automountServiceAccountToken bool? 4
PersistentVolumeClaim: spec ClaimSpec 2, status ClaimStatus 3
ClaimSpec: accessModes []str 1, selector LabelSelector 4, resources Resources 2, volumeName str 3, storageClassName str? 5, volumeMode str 6, dataSource TypedRef 7, dataSourceRef TypedRef 8, volumeAttributesClassName str 9
ClaimStatus: phase str, accessModes []str, capacity quantities, conditions []Condition, allocatedResources quantities, allocatedResourceStatuses map, currentVolumeAttributesClassName str, modifyVolumeStatus any
PersistentVolume: spec VolumeSpec, status VolumeStatus
VolumeSpec: capacity quantities, accessModes []str, claimRef ObjectRef, persistentVolumeReclaimPolicy str, storageClassName str, mountOptions []str, volumeMode str, nodeAffinity any, hostPath HostPath, local LocalVolume, csi any, nfs any, volumeAttributesClassName str
VolumeStatus: phase str, message str, reason str, lastPhaseTransitionTime time
HostPath: path str 1, type str 2
LocalVolume: path str, fsType str
Service: spec ServiceSpec 2, status ServiceStatus 3
ServiceSpec: ports []ServicePort 1, selector map 2, clusterIP str 3, clusterIPs []str 18, type str 4, externalIPs []str 5, sessionAffinity str 7, sessionAffinityConfig any 14, loadBalancerIP str 8, loadBalancerSourceRanges []str 9, loadBalancerClass str 21, externalName str 10, externalTrafficPolicy str 11, internalTrafficPolicy str 22, healthCheckNodePort int 12, publishNotReadyAddresses bool 13, ipFamilies []str 19, ipFamilyPolicy str 17, allocateLoadBalancerNodePorts bool? 20, trafficDistribution str 23
ServicePort: name str 1, protocol str 2, appProtocol str 6, port int 3, targetPort intstr 4, nodePort int 5
ServiceStatus: loadBalancer any, conditions []Condition
Event: involvedObject ObjectRef 2, reason str 3, message str 4, source EventSource 5, firstTimestamp time 6, lastTimestamp time 7, count int 8, type str 9, eventTime microtime 10, series any 11, action str 12, related ObjectRef 13, reportingComponent str 14, reportingInstance str 15
EventSource: component str 1, host str 2
Node: spec any, status any
Pod: spec PodSpec 2, status PodStatus 3
PodSpec: volumes []Volume 1, initContainers []Container 20, containers []Container 2, ephemeralContainers []any 34, restartPolicy str 3, terminationGracePeriodSeconds int? 4, activeDeadlineSeconds int? 5, dnsPolicy str 6, dnsConfig any 26, nodeSelector map 7, serviceAccountName str 8, serviceAccount str 9, automountServiceAccountToken bool? 21, nodeName str 10, hostNetwork bool 11, hostPID bool 12, hostIPC bool 13, hostUsers bool? 37, shareProcessNamespace bool? 27, securityContext any 14, imagePullSecrets []LocalRef 15, hostname str 16, subdomain str 17, affinity any 18, schedulerName str 19, tolerations []any 22, hostAliases []any 23, priorityClassName str 24, priority int? 25, readinessGates []any 28, runtimeClassName str 29, enableServiceLinks bool? 30, preemptionPolicy str 31, overhead quantities 32, topologySpreadConstraints []any 33, setHostnameAsFQDN bool? 35, os any 36, schedulingGates []any 38, resourceClaims []any 39, resources Resources 40
Volume: name str 1, persistentVolumeClaim VolumeClaim 2.10, secret VolumeSecret 2.6, configMap VolumeConfig 2.19, emptyDir EmptyDir 2.2, hostPath HostPath 2.1, projected any 2.26, downwardAPI any 2.16, csi any 2.28, nfs any 2.7, ephemeral any 2.29, image any 2.30
VolumeClaim: claimName str 1, readOnly bool 2
VolumeSecret: secretName str 1, items []KeyToPath 2, defaultMode int? 3, optional bool? 4
VolumeConfig: name str 1.1, items []KeyToPath 2, defaultMode int? 3, optional bool? 4
KeyToPath: key str 1, path str 2, mode int? 3
EmptyDir: medium str 1, sizeLimit quantity 2
Container: name str 1, image str 2, command []str 3, args []str 4, workingDir str 5, ports []ContainerPort 6, envFrom []any 19, env []Env 7, resources Resources 8, resizePolicy []any 23, restartPolicy str 24, volumeMounts []VolumeMount 9, volumeDevices []VolumeDevice 21, livenessProbe any 10, readinessProbe any 11, startupProbe any 22, lifecycle any 12, terminationMessagePath str 13, terminationMessagePolicy str 20, imagePullPolicy str 14, securityContext any 15, stdin bool 16, stdinOnce bool 17, tty bool 18
ContainerPort: name str 1, hostPort int 2, containerPort int 3, protocol str 4, hostIP str 5
Env: name str 1, value str 2, valueFrom any 3
VolumeMount: name str 1, readOnly bool 2, mountPath str 3, subPath str 4, subPathExpr str 6, mountPropagation str 5, recursiveReadOnly str 7
VolumeDevice: name str 1, devicePath str 2
PodStatus: phase str, conditions []Condition, message str, reason str, nominatedNodeName str, hostIP str, hostIPs []any, podIP str, podIPs []any, startTime time, initContainerStatuses []any, containerStatuses []any, qosClass str, ephemeralContainerStatuses []any, resize str, resourceClaimStatuses []any, observedGeneration int
Job: spec JobSpec 2, status JobStatus 3
JobSpec: parallelism int? 1, completions int? 2, activeDeadlineSeconds int? 3, podFailurePolicy any 11, successPolicy any 16, backoffLimit int? 7, backoffLimitPerIndex int? 12, maxFailedIndexes int? 13, selector LabelSelector 4, manualSelector bool? 5, template PodTemplate 6, ttlSecondsAfterFinished int? 8, completionMode str 9, suspend bool? 10, podReplacementPolicy str 14, managedBy str 15
PodTemplate: metadata Meta 1, spec PodSpec 2
JobStatus: conditions []Condition, startTime time, completionTime time, active int, succeeded int, failed int, terminating int, ready int, completedIndexes str, failedIndexes str, uncountedTerminatedPods any
Lease: spec LeaseSpec 2
LeaseSpec: holderIdentity str 1, leaseDurationSeconds int? 2, acquireTime microtime 3, renewTime microtime 4, leaseTransitions int? 5, strategy str 6, preferredHolder str 7
StorageClass: provisioner str 2, parameters map 3, reclaimPolicy str 4, mountOptions []str 5, allowVolumeExpansion bool? 6, volumeBindingMode str 7, allowedTopologies []any 8
VolumeSnapshot: spec SnapshotSpec, status SnapshotStatus
SnapshotSpec: source SnapshotSource, volumeSnapshotClassName str
SnapshotSource: persistentVolumeClaimName str, volumeSnapshotContentName str
SnapshotStatus: boundVolumeSnapshotContentName str, creationTime time, readyToUse bool, restoreSize quantity, error any, volumeGroupSnapshotName str
VolumeSnapshotClass: driver str, parameters map, deletionPolicy str
VolumeSnapshotContent: spec ContentSpec, status any
ContentSpec: volumeSnapshotRef ObjectRef, deletionPolicy str, driver str, volumeSnapshotClassName str, source any, sourceVolumeMode str
CustomResourceDefinition: spec any, status any
Role: rules []Rule 2
Rule: verbs []str 1, apiGroups []str 2, resources []str 3, resourceNames []str 4, nonResourceURLs []str 5
RoleBinding: subjects []Subject 2, roleRef TypedRef 3
Subject: kind str 1, apiGroup str 2, name str 3, namespace str 4
SelfSubjectAccessReview: spec AccessSpec 2
AccessSpec: resourceAttributes ResourceAccess 1, nonResourceAttributes PathAccess 2
ResourceAccess: namespace str 1, verb str 2, group str 3, version str 4, resource str 5, subresource str 6, name str 7, fieldSelector any 8, labelSelector any 9
PathAccess: path str 1, verb str 2
SelfSubjectRulesReview: spec RulesSpec 2
RulesSpec: namespace str 1
SelfSubjectReview: status any
DeleteOptions: gracePeriodSeconds int? 1, preconditions Preconditions 2, orphanDependents bool? 3, propagationPolicy str 4, dryRun []str 5
Preconditions: uid str 1, resourceVersion str 2
)";

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

Field readField(std::string_view text) {
  std::vector<std::string_view> words;
  pieces(text, ' ', [&](std::string_view word) { words.push_back(word); });
  Field out{std::string(words[0]), std::string(words[1]), false, {}};
  if (out.type.ends_with('?')) {
    out.type.pop_back();
    out.keepsZero = true;
  }
  if (words.size() > 2) {
    pieces(words[2], '.', [&](std::string_view n) { out.number.push_back(std::stoul(std::string(n))); });
  }
  return out;
}

std::map<std::string, Fields, std::less<>> readTable() {
  std::map<std::string, Fields, std::less<>> out;
  pieces(kTable, '\n', [&](std::string_view line) {
    const auto colon = line.find(':');
    auto& fields = out[std::string(line.substr(0, colon))];
    pieces(line.substr(colon + 1), ',', [&](std::string_view field) { fields.push_back(readField(field)); });
  });
  return out;
}

}  // namespace

const Fields* fieldsOf(std::string_view type) {
  static const auto kTypes = readTable();
  const auto it = kTypes.find(type);
  return it == kTypes.end() ? nullptr : &it->second;
}

}  // namespace godwit::standalone
