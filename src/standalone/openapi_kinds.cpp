#include "standalone/openapi_kinds.h"

#include "api/crd.h"

namespace godwit::standalone {

namespace {

struct Field {
  const char* path;  // "spec.accessModes"
  const char*
      type;  // string, integer, boolean, object, array (of strings), objects (array of objects), map (of strings)
  const char* description;
};

struct Kind {
  const char* description;
  std::vector<Field> fields;
};

const std::map<std::string_view, Kind>& kinds() {
  static const std::map<std::string_view, Kind> kKinds = {
      {"Namespace", {"Namespace provides a scope for names.", {{"status.phase", "string", "Active or Terminating."}}}},
      {"Secret",
       {"Secret holds bytes that are nobody else's business, ssh keys for instance.",
        {{"data", "map", "Values in base64."},
         {"stringData", "map", "Values as text, merged into data when written."},
         {"type", "string", "How programs handle the Secret; Opaque unless given."},
         {"immutable", "boolean", "Refuses changes of data."}}}},
      {"ConfigMap",
       {"ConfigMap holds configuration as text.",
        {{"data", "map", "Values as text."}, {"binaryData", "map", "Values in base64."}}}},
      {"ServiceAccount", {"ServiceAccount is an identity for processes in a Pod.", {}}},
      {"PersistentVolumeClaim",
       {"PersistentVolumeClaim asks for a volume and binds to one.",
        {{"spec.accessModes", "array", "ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod."},
         {"spec.storageClassName", "string", "The class that makes the volume; \"\" binds to an existing volume only."},
         {"spec.volumeName", "string", "The PersistentVolume this claim is or wants to be bound to."},
         {"spec.volumeMode", "string", "Filesystem or Block."},
         {"spec.resources", "object", "requests.storage: the size asked for."},
         {"spec.dataSource", "object", "A VolumeSnapshot or PersistentVolumeClaim to fill the volume from."},
         {"spec.dataSourceRef", "object", "Like dataSource; also a ReplicationDestination."},
         {"status.phase", "string", "Pending, Bound or Lost."},
         {"status.capacity", "object", "The size of the volume."}}}},
      {"PersistentVolume",
       {"PersistentVolume is a piece of storage.",
        {{"spec.hostPath", "object", "path: an existing directory of this machine, as a volume."},
         {"spec.capacity", "object", "storage: its size."},
         {"spec.accessModes", "array", "How it can be mounted."},
         {"spec.claimRef", "object", "The claim it is bound to."},
         {"spec.storageClassName", "string", "The class it belongs to."},
         {"spec.persistentVolumeReclaimPolicy", "string",
          "Delete or Retain: what becomes of it when its claim is deleted."},
         {"status.phase", "string", "Available, Bound, Released or Failed."}}}},
      {"Service",
       {"Service is an address under which Pods are reached.",
        {{"spec.type", "string", "ClusterIP, NodePort or LoadBalancer."},
         {"spec.clusterIP", "string", "The address inside."},
         {"spec.ports", "objects", "port and targetPort of each port."},
         {"spec.selector", "map", "The labels of its Pods."},
         {"status.loadBalancer", "object", "ingress: the addresses outside."}}}},
      {"Pod",
       {"Pod is a group of containers that run on one node.",
        {{"spec.containers", "objects", "The containers: name, image, command, args, env, volumeMounts."},
         {"spec.volumes", "objects", "The volumes: persistentVolumeClaim, secret, configMap, emptyDir."},
         {"spec.nodeName", "string", "The node it runs on."},
         {"spec.restartPolicy", "string", "Never, OnFailure or Always."},
         {"status.phase", "string", "Pending, Running, Succeeded or Failed."},
         {"status.containerStatuses", "objects", "What each container does, or how it ended."}}}},
      {"Job",
       {"Job runs Pods until enough of them have succeeded.",
        {{"spec.template", "object", "The Pod it runs."},
         {"spec.backoffLimit", "integer", "How many Pods may fail before the Job does."},
         {"spec.parallelism", "integer", "How many Pods run at once; 0 pauses."},
         {"spec.completions", "integer", "How many Pods must succeed."},
         {"status.active", "integer", "Pods that run."},
         {"status.succeeded", "integer", "Pods that succeeded."},
         {"status.failed", "integer", "Pods that failed."},
         {"status.conditions", "objects", "Complete or Failed, with the reason."}}}},
      {"Event",
       {"Event tells what happened to an object.",
        {{"type", "string", "Normal or Warning."},
         {"reason", "string", "Why, in one word."},
         {"message", "string", "What happened."},
         {"count", "integer", "How often."},
         {"involvedObject", "object", "The object it is about."}}}},
      {"Node",
       {"Node is a machine that runs Pods: this one.",
        {{"status.conditions", "objects", "Ready."}, {"status.nodeInfo", "object", "Versions."}}}},
      {"Lease",
       {"Lease says who leads.",
        {{"spec.holderIdentity", "string", "The leader."}, {"spec.renewTime", "string", "When it last said so."}}}},
      {"StorageClass",
       {"StorageClass names a way to make volumes.",
        {{"provisioner", "string", "Who makes them."},
         {"reclaimPolicy", "string", "Delete or Retain."},
         {"volumeBindingMode", "string", "Immediate or WaitForFirstConsumer."},
         {"allowVolumeExpansion", "boolean", "Whether claims may grow."}}}},
      {"VolumeSnapshot",
       {"VolumeSnapshot is a point-in-time copy of a volume.",
        {{"spec.source", "object", "persistentVolumeClaimName: what to copy."},
         {"spec.volumeSnapshotClassName", "string", "The class that makes it."},
         {"status.readyToUse", "boolean", "Volumes can be made from it."},
         {"status.restoreSize", "string", "The least size of such a volume."},
         {"status.error", "object", "What went wrong."}}}},
      {"VolumeSnapshotClass",
       {"VolumeSnapshotClass names a way to make snapshots.",
        {{"driver", "string", "Who makes them."}, {"deletionPolicy", "string", "Delete or Retain."}}}},
      {"VolumeSnapshotContent",
       {"VolumeSnapshotContent is the snapshot itself, wherever it is stored.",
        {{"spec.driver", "string", "Who made it."},
         {"spec.deletionPolicy", "string", "Delete or Retain."},
         {"spec.volumeSnapshotRef", "object", "The VolumeSnapshot it belongs to."},
         {"status.readyToUse", "boolean", "It is complete."}}}},
      {"CustomResourceDefinition",
       {"CustomResourceDefinition describes a kind of object.",
        {{"spec.group", "string", "Its API group."},
         {"spec.names", "object", "Its names."},
         {"spec.versions", "objects", "Its versions, with their schemas."}}}},
      {"Role", {"Role is a set of permissions in a namespace.", {{"rules", "objects", "What it permits."}}}},
      {"RoleBinding",
       {"RoleBinding gives a Role to somebody.",
        {{"roleRef", "object", "The Role."}, {"subjects", "objects", "Who gets it."}}}},
  };
  return kKinds;
}

Json openObject(const char* description) {
  return {{"type", "object"}, {"description", description}, {"x-kubernetes-preserve-unknown-fields", true}};
}

Json fieldSchema(const Field& field) {
  const std::string_view type = field.type;
  if (type == "array") return {{"type", "array"}, {"description", field.description}, {"items", {{"type", "string"}}}};
  if (type == "objects") return {{"type", "array"}, {"description", field.description}, {"items", openObject("")}};
  if (type == "map")
    return {{"type", "object"}, {"description", field.description}, {"additionalProperties", {{"type", "string"}}}};
  if (type == "object") return openObject(field.description);
  return {{"type", type}, {"description", field.description}};
}

void addField(Json& schema, const Field& field) {
  const std::string_view path = field.path;
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) {
    schema["properties"][std::string(path)] = fieldSchema(field);
    return;
  }
  auto& part = schema["properties"][std::string(path.substr(0, dot))];
  if (part.is_null()) part = openObject(path.starts_with("spec") ? "What is wanted." : "What is.");
  part["properties"][std::string(path.substr(dot + 1))] = fieldSchema(field);
}

}  // namespace

Json objectMetaSchema() {
  static const Kind kMeta = {"Metadata that every object has.",
                             {{"name", "string", "Unique within the namespace."},
                              {"generateName", "string", "A prefix from which the server makes a name."},
                              {"namespace", "string", "The scope of the name."},
                              {"labels", "map", "Keys and values to select by."},
                              {"annotations", "map", "Keys and values for programs and people."},
                              {"uid", "string", "Unique for ever."},
                              {"resourceVersion", "string", "Changes with every write."},
                              {"generation", "integer", "Changes with every write of the spec."},
                              {"creationTimestamp", "string", "When it was made."},
                              {"deletionTimestamp", "string", "When its deletion was asked for."},
                              {"finalizers", "array", "What must be done before it goes."},
                              {"ownerReferences", "objects", "Whose it is: it goes with its owners."}}};
  Json schema = {{"type", "object"}, {"description", kMeta.description}};
  for (const auto& field : kMeta.fields) addField(schema, field);
  return schema;
}

Json schemaOf(std::string_view kind) {
  for (const auto role : {api::Role::Source, api::Role::Destination}) {
    if (kind == api::kindOf(role))
      return api::crd(role).at("spec").at("versions").at(0).at("schema").at("openAPIV3Schema");
  }
  Json schema = openObject("");
  if (const auto it = kinds().find(kind); it != kinds().end()) {
    schema["description"] = it->second.description;
    for (const auto& field : it->second.fields) addField(schema, field);
  }
  schema["properties"]["apiVersion"] = {{"type", "string"},
                                        {"description", "The group and version of this object's schema."}};
  schema["properties"]["kind"] = {{"type", "string"}, {"description", "The kind of this object."}};
  return schema;
}

}  // namespace godwit::standalone
