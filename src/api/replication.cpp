#include "api/replication.h"

#include "api/quantity.h"
#include "api/strict.h"

namespace godwit::api {

const char* name(Role role) {
  return role == Role::Source ? "source" : "destination";
}
const char* kindOf(Role role) {
  return role == Role::Source ? "ReplicationSource" : "ReplicationDestination";
}

static constexpr const char* kForeignMovers[] = {"rsyncTLS", "rclone", "restic", "syncthing"};

static std::optional<Trigger> readTrigger(Fields spec) {
  auto fields = spec.object("trigger");
  if (!fields) return std::nullopt;
  Trigger trigger{fields->text("schedule"), fields->text("manual")};
  if (trigger.manual == "") trigger.manual.reset();
  return trigger;
}

static std::optional<RsyncSpec> readRsync(Fields spec) {
  auto fields = spec.object("rsync");
  if (!fields) return std::nullopt;
  RsyncSpec rsync;
  rsync.copyMethod = fields->text("copyMethod");
  rsync.capacity = fields->quantity("capacity");
  rsync.storageClassName = fields->text("storageClassName");
  rsync.accessModes = fields->textList("accessModes");
  rsync.volumeSnapshotClassName = fields->text("volumeSnapshotClassName");
  rsync.sshKeys = fields->text("sshKeys");
  rsync.serviceType = fields->text("serviceType");
  rsync.address = fields->text("address");
  rsync.port = fields->integer("port");
  rsync.path = fields->text("path");
  rsync.sshUser = fields->text("sshUser");
  rsync.moverServiceAccount = fields->text("moverServiceAccount");
  rsync.moverPodLabels = fields->textMap("moverPodLabels").value_or(StringMap());
  if (auto resources = fields->object("moverResources")) rsync.moverResources = resources->json();
  rsync.destinationPVC = fields->text("destinationPVC");
  rsync.volumeMode = fields->text("volumeMode");
  rsync.serviceAnnotations = fields->textMap("serviceAnnotations");
  rsync.cleanupTempPVC = fields->flag("cleanupTempPVC");
  return rsync;
}

static ReplicationSpec readSpec(Fields object) {
  ReplicationSpec spec;
  auto fields = object.object("spec");
  if (!fields) return spec;
  spec.sourcePVC = fields->text("sourcePVC").value_or("");
  spec.trigger = readTrigger(*fields);
  spec.paused = fields->flag("paused");
  spec.rsync = readRsync(*fields);
  spec.external = fields->object("external").has_value();
  for (const char* mover : kForeignMovers)
    if (fields->object(mover)) spec.foreignMovers.emplace_back(mover);
  return spec;
}

static Condition readCondition(Fields fields) {
  Condition condition;
  condition.type = fields.text("type").value_or("");
  condition.status = fields.text("status").value_or("");
  condition.reason = fields.text("reason").value_or("");
  condition.message = fields.text("message").value_or("");
  condition.lastTransitionTime = fields.time("lastTransitionTime");
  condition.observedGeneration = fields.integer("observedGeneration").value_or(0);
  return condition;
}

static ReplicationStatus readStatus(Fields object) {
  ReplicationStatus status;
  auto fields = object.object("status");
  if (!fields) return status;
  status.lastSyncTime = fields->time("lastSyncTime");
  status.lastSyncStartTime = fields->time("lastSyncStartTime");
  status.nextSyncTime = fields->time("nextSyncTime");
  status.lastSyncDuration = fields->duration("lastSyncDuration");
  status.lastManualSync = fields->text("lastManualSync");
  if (auto mover = fields->object("latestMoverStatus"))
    status.latestMoverStatus = {mover->text("result").value_or(""), mover->text("logs").value_or("")};
  if (auto rsync = fields->object("rsync"))
    status.rsync = {rsync->text("address"), rsync->integer("port"), rsync->text("sshKeys")};
  if (auto image = fields->object("latestImage"))
    status.latestImage = {image->text("apiGroup").value_or(""), image->text("kind").value_or(""),
                          image->text("name").value_or("")};
  for (const Fields& condition : fields->objectList("conditions"))
    status.conditions.push_back(readCondition(condition));
  return status;
}

static std::optional<Role> roleOf(const Json& object) {
  for (const Role role : {Role::Source, Role::Destination})
    if (text(object, "kind") == kindOf(role)) return role;
  return std::nullopt;
}

Result<Replication> replicationFromJson(const Json& object) {
  const auto role = roleOf(object);
  if (!role) return Error{Errc::Invalid, "kind: expected ReplicationSource or ReplicationDestination"};
  if (text(object, "apiVersion") != kApiVersion)
    return Error{Errc::Invalid, fmt::format("apiVersion: expected {}", kApiVersion)};
  std::optional<Error> error;
  const Fields fields(object, "", error);
  Replication replication{*role, metaFromJson(object), readSpec(fields), readStatus(fields)};
  if (error) return *std::move(error);
  return replication;
}

namespace {

// Writes the members that are there.
class Writer {
 public:
  template <class T>
  Writer& put(const char* key, const std::optional<T>& value) {
    if (value) json_[key] = *value;
    return *this;
  }
  Writer& put(const char* key, const std::optional<TimePoint>& value) {
    if (value) json_[key] = formatTime(*value);
    return *this;
  }
  template <class T>
  Writer& putUnlessEmpty(const char* key, const T& value) {
    if (!value.empty()) json_[key] = value;
    return *this;
  }
  Writer& putIf(const char* key, bool value) {
    if (value) json_[key] = true;
    return *this;
  }
  Json take() { return std::move(json_); }

 private:
  Json json_ = Json::object();
};

Json rsyncToJson(const RsyncSpec& rsync) {
  Writer out;
  out.put("copyMethod", rsync.copyMethod).put("capacity", rsync.capacity);
  out.put("storageClassName", rsync.storageClassName).putUnlessEmpty("accessModes", rsync.accessModes);
  out.put("volumeSnapshotClassName", rsync.volumeSnapshotClassName).put("sshKeys", rsync.sshKeys);
  out.put("serviceType", rsync.serviceType).put("address", rsync.address).put("port", rsync.port);
  out.put("path", rsync.path).put("sshUser", rsync.sshUser).put("moverServiceAccount", rsync.moverServiceAccount);
  out.putUnlessEmpty("moverPodLabels", rsync.moverPodLabels).putUnlessEmpty("moverResources", rsync.moverResources);
  out.put("destinationPVC", rsync.destinationPVC).put("volumeMode", rsync.volumeMode);
  out.put("serviceAnnotations", rsync.serviceAnnotations).putIf("cleanupTempPVC", rsync.cleanupTempPVC);
  return out.take();
}

Json specToJson(const ReplicationSpec& spec) {
  Json json = Writer().putUnlessEmpty("sourcePVC", spec.sourcePVC).putIf("paused", spec.paused).take();
  if (spec.trigger)
    json["trigger"] = Writer().put("schedule", spec.trigger->schedule).put("manual", spec.trigger->manual).take();
  if (spec.rsync) json["rsync"] = rsyncToJson(*spec.rsync);
  if (spec.external) json["external"] = Json::object();
  for (const auto& mover : spec.foreignMovers) json[mover] = Json::object();
  return json;
}

Json conditionToJson(const Condition& condition) {
  Json json = {{"type", condition.type},
               {"status", condition.status},
               {"reason", condition.reason},
               {"message", condition.message}};
  if (condition.lastTransitionTime) json["lastTransitionTime"] = formatTime(*condition.lastTransitionTime);
  if (condition.observedGeneration) json["observedGeneration"] = condition.observedGeneration;
  return json;
}

}  // namespace

Json toJson(const ReplicationStatus& status) {
  Json json = Writer()
                  .put("lastSyncTime", status.lastSyncTime)
                  .put("lastSyncStartTime", status.lastSyncStartTime)
                  .put("nextSyncTime", status.nextSyncTime)
                  .put("lastManualSync", status.lastManualSync)
                  .take();
  if (status.lastSyncDuration) json["lastSyncDuration"] = formatDuration(*status.lastSyncDuration);
  if (const auto& mover = status.latestMoverStatus)
    json["latestMoverStatus"] =
        Writer().putUnlessEmpty("result", mover->result).putUnlessEmpty("logs", mover->logs).take();
  if (const auto& rsync = status.rsync)
    json["rsync"] =
        Writer().put("address", rsync->address).put("port", rsync->port).put("sshKeys", rsync->sshKeys).take();
  if (const auto& image = status.latestImage)
    json["latestImage"] = {{"apiGroup", image->apiGroup}, {"kind", image->kind}, {"name", image->name}};
  for (const auto& condition : status.conditions) json["conditions"].push_back(conditionToJson(condition));
  return json;
}

Json toJson(const Replication& object) {
  Json json = {{"apiVersion", kApiVersion},
               {"kind", kindOf(object.role)},
               {"metadata", toJson(object.meta)},
               {"spec", specToJson(object.spec)}};
  if (Json status = toJson(object.status); !status.empty()) json["status"] = std::move(status);
  return json;
}

}  // namespace godwit::api
