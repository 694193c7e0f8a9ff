#include "standalone/rest_columns.h"

#include "api/crd.h"
#include "standalone/human_duration.h"

namespace godwit::standalone {

namespace {

constexpr const char* kNone = "<none>";
using Cell = std::function<Json(const Json&, TimePoint)>;

std::string ageOf(const std::string& stamp, TimePoint now) {
  const auto at = api::parseTime(stamp);
  return at ? humanDuration(now - *at) : "<unknown>";
}

std::string orNone(std::string s, const char* otherwise = kNone) {
  return s.empty() ? otherwise : std::move(s);
}

// The text at a path of keys; `otherwise` when empty.
template <class... Keys>
Cell field(const char* otherwise, Keys... keys) {
  return [=](const Json& o, TimePoint) -> Json { return orNone(text(o, keys...), otherwise); };
}

template <class... Keys>
Cell count(Keys... keys) {
  return [=](const Json& o, TimePoint) -> Json {
    const Json* at = find(o, keys...);
    return at ? static_cast<std::int64_t>(at->size()) : 0;
  };
}

template <class... Keys>
Cell flag(Keys... keys) {
  return [=](const Json& o, TimePoint) -> Json { return truth(o, keys...); };
}

template <class... Keys>
Cell age(Keys... keys) {
  return [=](const Json& o, TimePoint now) -> Json { return ageOf(text(o, keys...), now); };
}

Cell created() {
  return age("metadata", "creationTimestamp");
}

std::string joined(const Json* values, std::string_view separator,
                   const std::function<std::string(const Json&)>& each) {
  std::string out;
  if (!values || !values->is_array()) return out;
  for (const auto& value : *values) {
    const auto part = each(value);
    if (!part.empty()) out += (out.empty() ? "" : std::string(separator)) + part;
  }
  return out;
}

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : dumpJson(value);
}

std::string accessModes(const Json* modes) {
  static const std::map<std::string, std::string> kShort = {
      {"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
  return joined(modes, ",", [](const Json& mode) {
    const auto it = kShort.find(plain(mode));
    return it == kShort.end() ? plain(mode) : it->second;
  });
}

std::string labels(const Json* map) {
  std::string out;
  if (map && map->is_object()) {
    for (const auto& [key, value] : map->items()) out += (out.empty() ? "" : ",") + key + "=" + plain(value);
  }
  return orNone(out);
}

// --- pods

struct PodView {
  std::int64_t ready = 0, total = 0, restarts = 0;
  std::string status;
};

std::string stateReason(const Json& containerStatus) {
  if (const auto* waiting = find(containerStatus, "state", "waiting")) return text(*waiting, "reason");
  const auto* ended = find(containerStatus, "state", "terminated");
  if (!ended) return {};
  const auto reason = text(*ended, "reason");
  return reason.empty() ? "ExitCode:" + std::to_string(number(0, *ended, "exitCode")) : reason;
}

PodView viewPod(const Json& pod) {
  PodView view;
  const auto* containers = find(pod, "spec", "containers");
  view.total = containers ? static_cast<std::int64_t>(containers->size()) : 0;
  view.status = orNone(text(pod, "status", "reason"), text(pod, "status", "phase").c_str());
  if (const auto* statuses = find(pod, "status", "containerStatuses"); statuses && statuses->is_array()) {
    for (const auto& status : *statuses) {
      view.ready += truth(status, "ready");
      view.restarts += number(0, status, "restartCount");
      if (const auto reason = stateReason(status); !reason.empty()) view.status = reason;
    }
  }
  if (find(pod, "metadata", "deletionTimestamp")) view.status = "Terminating";
  return view;
}

// --- services

Json externalAddress(const Json& service, TimePoint) {
  const auto ingress = joined(find(service, "status", "loadBalancer", "ingress"), ",", [](const Json& point) {
    const auto ip = text(point, "ip");
    return ip.empty() ? text(point, "hostname") : ip;
  });
  if (!ingress.empty()) return ingress;
  return text(service, "spec", "type") == "LoadBalancer" ? "<pending>" : kNone;
}

Json ports(const Json& service, TimePoint) {
  return orNone(joined(find(service, "spec", "ports"), ",", [](const Json& port) {
    const auto node = number(0, port, "nodePort");
    return std::to_string(number(0, port, "port")) + (node ? ":" + std::to_string(node) : "") + "/" +
           orNone(text(port, "protocol"), "TCP");
  }));
}

// --- jobs

bool conditionTrue(const Json& object, std::string_view type) {
  const auto* conditions = find(object, "status", "conditions");
  if (!conditions || !conditions->is_array()) return false;
  return std::any_of(conditions->begin(), conditions->end(),
                     [&](const Json& c) { return text(c, "type") == type && text(c, "status") == "True"; });
}

Json jobStatus(const Json& job, TimePoint) {
  if (conditionTrue(job, "Complete")) return "Complete";
  if (conditionTrue(job, "Failed")) return "Failed";
  if (find(job, "metadata", "deletionTimestamp")) return "Terminating";
  return conditionTrue(job, "Suspended") ? "Suspended" : "Running";
}

Json jobCompletions(const Json& job, TimePoint) {
  return std::to_string(number(0, job, "status", "succeeded")) + "/" +
         std::to_string(number(1, job, "spec", "completions"));
}

Json jobDuration(const Json& job, TimePoint now) {
  const auto from = api::parseTime(text(job, "status", "startTime"));
  if (!from) return "";
  const auto to = api::parseTime(text(job, "status", "completionTime"));
  return humanDuration((to ? *to : now) - *from);
}

Cell eachContainer(const char* key) {
  return [key](const Json& job, TimePoint) -> Json {
    return joined(find(job, "spec", "template", "spec", "containers"), ",",
                  [key](const Json& c) { return text(c, key); });
  };
}

// --- events

std::string lastSeen(const Json& event) {
  for (const char* key : {"lastTimestamp", "eventTime", "firstTimestamp"}) {
    if (auto at = text(event, key); !at.empty()) return at;
  }
  return text(event, "metadata", "creationTimestamp");
}

Json involved(const Json& event, TimePoint) {
  auto kind = text(event, "involvedObject", "kind");
  std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
  return kind + "/" + text(event, "involvedObject", "name");
}

Json eventSource(const Json& event, TimePoint) {
  const auto component = text(event, "source", "component");
  return component.empty() ? text(event, "reportingComponent") : component;
}

Json eventCount(const Json& event, TimePoint) {
  return number(1, event, "count");
}

// --- storage

Json claimOf(const Json& volume, TimePoint) {
  const auto name = text(volume, "spec", "claimRef", "name");
  return name.empty() ? "" : text(volume, "spec", "claimRef", "namespace") + "/" + name;
}

Json nameOfClass(const Json& storageClass, TimePoint) {
  const auto* annotations = find(storageClass, "metadata", "annotations");
  const bool isDefault = annotations && text(*annotations, "storageclass.kubernetes.io/is-default-class") == "true";
  return text(storageClass, "metadata", "name") + (isDefault ? " (default)" : "");
}

Cell modes(const char* part) {
  return [part](const Json& o, TimePoint) -> Json { return accessModes(find(o, part, "accessModes")); };
}

// --- nodes, roles

Json nodeStatus(const Json& node, TimePoint) {
  return conditionTrue(node, "Ready") ? "Ready" : "NotReady";
}

Json roleOf(const Json& binding, TimePoint) {
  return text(binding, "roleRef", "kind") + "/" + text(binding, "roleRef", "name");
}

Column name() {
  return {"Name", "string", "name", 0, field("", "metadata", "name")};
}
Column column(const char* title, Cell cell, int priority = 0) {
  return {title, "string", "", priority, std::move(cell)};
}
Column integer(const char* title, Cell cell, int priority = 0) {
  return {title, "integer", "", priority, std::move(cell)};
}
Column boolean(const char* title, Cell cell) {
  return {title, "boolean", "", 0, std::move(cell)};
}
Column ageColumn() {
  return column("Age", created());
}

std::vector<Column> podColumns() {
  return {name(),
          column("Ready",
                 [](const Json& o, TimePoint) -> Json {
                   const auto v = viewPod(o);
                   return std::to_string(v.ready) + "/" + std::to_string(v.total);
                 }),
          column("Status", [](const Json& o, TimePoint) -> Json { return viewPod(o).status; }),
          column("Restarts", [](const Json& o, TimePoint) -> Json { return std::to_string(viewPod(o).restarts); }),
          ageColumn(),
          column("IP", field(kNone, "status", "podIP"), 1),
          column("Node", field(kNone, "spec", "nodeName"), 1),
          column("Nominated Node", field(kNone, "status", "nominatedNodeName"), 1),
          column(
              "Readiness Gates", [](const Json&, TimePoint) -> Json { return kNone; }, 1)};
}

std::vector<Column> eventColumns() {
  return {column("Last Seen", [](const Json& o, TimePoint now) -> Json { return ageOf(lastSeen(o), now); }),
          column("Type", field("", "type")),
          column("Reason", field("", "reason")),
          column("Object", involved),
          column("Subobject", field("", "involvedObject", "fieldPath"), 1),
          column("Source", eventSource, 1),
          column("Message", field("", "message")),
          column("First Seen", age("firstTimestamp"), 1),
          integer("Count", eventCount, 1),
          {"Name", "string", "name", 1, field("", "metadata", "name")}};
}

std::vector<Column> serviceColumns() {
  return {name(),
          column("Type", field("ClusterIP", "spec", "type")),
          column("Cluster-IP", field(kNone, "spec", "clusterIP")),
          column("External-IP", externalAddress),
          column("Port(s)", ports),
          ageColumn(),
          column(
              "Selector", [](const Json& o, TimePoint) -> Json { return labels(find(o, "spec", "selector")); }, 1)};
}

std::vector<Column> jobColumns() {
  return {name(),
          column("Status", jobStatus),
          column("Completions", jobCompletions),
          column("Duration", jobDuration),
          ageColumn(),
          column("Containers", eachContainer("name"), 1),
          column("Images", eachContainer("image"), 1),
          column(
              "Selector",
              [](const Json& o, TimePoint) -> Json { return labels(find(o, "spec", "selector", "matchLabels")); }, 1)};
}

std::vector<Column> claimColumns() {
  return {name(),
          column("Status", field("", "status", "phase")),
          column("Volume", field("", "spec", "volumeName")),
          column("Capacity", field("", "status", "capacity", "storage")),
          column("Access Modes", modes("status")),
          column("StorageClass", field("", "spec", "storageClassName")),
          column("VolumeAttributesClass", field("<unset>", "spec", "volumeAttributesClassName")),
          ageColumn(),
          column("VolumeMode", field("Filesystem", "spec", "volumeMode"), 1)};
}

std::vector<Column> volumeColumns() {
  return {name(),
          column("Capacity", field("", "spec", "capacity", "storage")),
          column("Access Modes", modes("spec")),
          column("Reclaim Policy", field("", "spec", "persistentVolumeReclaimPolicy")),
          column("Status", field("", "status", "phase")),
          column("Claim", claimOf),
          column("StorageClass", field("", "spec", "storageClassName")),
          column("VolumeAttributesClass", field("<unset>", "spec", "volumeAttributesClassName")),
          column("Reason", field("", "status", "reason")),
          ageColumn(),
          column("VolumeMode", field("Filesystem", "spec", "volumeMode"), 1)};
}

std::vector<Column> snapshotColumns() {
  return {name(),
          boolean("ReadyToUse", flag("status", "readyToUse")),
          column("SourcePVC", field("", "spec", "source", "persistentVolumeClaimName")),
          column("SourceSnapshotContent", field("", "spec", "source", "volumeSnapshotContentName")),
          column("RestoreSize", field("", "status", "restoreSize")),
          column("SnapshotClass", field("", "spec", "volumeSnapshotClassName")),
          column("SnapshotContent", field("", "status", "boundVolumeSnapshotContentName")),
          column("CreationTime", age("status", "creationTime")),
          ageColumn()};
}

std::vector<Column> snapshotContentColumns() {
  return {
      name(),
      boolean("ReadyToUse", flag("status", "readyToUse")),
      integer("RestoreSize", [](const Json& o, TimePoint) -> Json { return number(0, o, "status", "restoreSize"); }),
      column("DeletionPolicy", field("", "spec", "deletionPolicy")),
      column("Driver", field("", "spec", "driver")),
      column("VolumeSnapshotClass", field("", "spec", "volumeSnapshotClassName")),
      column("VolumeSnapshot", field("", "spec", "volumeSnapshotRef", "name")),
      column("VolumeSnapshotNamespace", field("", "spec", "volumeSnapshotRef", "namespace")),
      ageColumn()};
}

// additionalPrinterColumns of a CRD, whose paths here are plain (".status.lastSyncTime").
std::vector<Column> crdColumns(const Json& crd) {
  std::vector<Column> columns = {name()};
  for (const auto& printed : crd.at("spec").at("versions").at(0).at("additionalPrinterColumns")) {
    auto pointer = text(printed, "jsonPath");
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    const bool date = text(printed, "type") == "date";
    columns.push_back({text(printed, "name"), text(printed, "type"), text(printed, "format"),
                       static_cast<int>(number(0, printed, "priority")),
                       [path = Json::json_pointer(pointer), date](const Json& o, TimePoint now) -> Json {
                         if (!o.contains(path)) return nullptr;
                         return date ? Json(ageOf(plain(o.at(path)), now)) : o.at(path);
                       }});
  }
  return columns;
}

std::map<std::string_view, std::vector<Column>> allColumns() {
  return {
      {"Namespace", {name(), column("Status", field("", "status", "phase")), ageColumn()}},
      {"Secret", {name(), column("Type", field("Opaque", "type")), integer("Data", count("data")), ageColumn()}},
      {"ConfigMap", {name(), integer("Data", count("data")), ageColumn()}},
      {"ServiceAccount", {name(), integer("Secrets", count("secrets")), ageColumn()}},
      {"Pod", podColumns()},
      {"Event", eventColumns()},
      {"Service", serviceColumns()},
      {"Job", jobColumns()},
      {"PersistentVolumeClaim", claimColumns()},
      {"PersistentVolume", volumeColumns()},
      {"VolumeSnapshot", snapshotColumns()},
      {"VolumeSnapshotContent", snapshotContentColumns()},
      {"VolumeSnapshotClass",
       {name(), column("Driver", field("", "driver")), column("DeletionPolicy", field("", "deletionPolicy")),
        ageColumn()}},
      {"StorageClass",
       {{"Name", "string", "name", 0, nameOfClass},
        column("Provisioner", field("", "provisioner")),
        column("ReclaimPolicy", field("Delete", "reclaimPolicy")),
        column("VolumeBindingMode", field("Immediate", "volumeBindingMode")),
        boolean("AllowVolumeExpansion", flag("allowVolumeExpansion")),
        ageColumn()}},
      {"Lease", {name(), column("Holder", field("", "spec", "holderIdentity")), ageColumn()}},
      {"Node",
       {name(), column("Status", nodeStatus), column("Roles", [](const Json&, TimePoint) -> Json { return kNone; }),
        ageColumn(), column("Version", field("", "status", "nodeInfo", "kubeletVersion"))}},
      {"CustomResourceDefinition", {name(), column("Created At", field("", "metadata", "creationTimestamp"))}},
      {"Role", {name(), column("Created At", field("", "metadata", "creationTimestamp"))}},
      {"RoleBinding", {name(), column("Role", roleOf), ageColumn()}},
      {"ReplicationSource", crdColumns(api::crd(api::Role::Source))},
      {"ReplicationDestination", crdColumns(api::crd(api::Role::Destination))},
  };
}

}  // namespace

const std::vector<Column>& columnsOf(const kube::ResourceType& type) {
  static const auto kColumns = allColumns();
  static const std::vector<Column> kOthers = {name(), ageColumn()};
  const auto it = kColumns.find(type.kind);
  return it == kColumns.end() ? kOthers : it->second;
}

}  // namespace godwit::standalone
