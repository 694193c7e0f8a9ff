// The mover's Job: the pod contract of section 2, the command line of src/mover.
#include "api/mover_result.h"
#include "api/names.h"
#include "replication/plan.h"

namespace godwit::replication {

namespace {

constexpr const char* kBlockDevice = "/dev/block";

bool block(const View<api::Pvc>::Ptr& volume) {
  return volume && volume->volumeMode == "Block";
}

// The volume that is there decides, whatever a spec that has changed since would make of another.
bool blockVolume(const api::Replication& object, const World& world) {
  if (const auto data = world.data(object)) return block(data);
  if (object.role == api::Role::Destination && usesOwnVolume(object)) return object.spec.rsync->volumeMode == "Block";
  return block(world.given);
}

// Without privileges under Direct too: the kubelet would give the files of an application at work to the mover's group,
// and leaves those of a volume alone that is mounted to be read.
bool readOnly(const api::Replication& object, const World& world) {
  if (object.role != api::Role::Source) return false;
  if (unprivileged(world) && object.spec.rsync->direct() && !blockVolume(object, world)) return true;
  const auto data = world.data(object);
  return data && !data->accessModes.empty() &&
         std::all_of(data->accessModes.begin(), data->accessModes.end(),
                     [](const auto& mode) { return mode == "ReadOnlyMany"; });
}

Json arguments(const api::Replication& object) {
  const auto& rsync = *object.spec.rsync;
  Json out = Json::array();
  const auto add = [&](const char* flag, const std::optional<std::string>& value) {
    if (value && !value->empty()) out.insert(out.end(), {flag, *value});
  };
  if (object.role == api::Role::Destination) {
    add("--user", rsync.sshUser);
    add("--path", rsync.path);
    return out;
  }
  add("--user", rsync.sshUser.value_or("root"));
  add("--path", rsync.path.value_or("/"));
  if (rsync.direct()) out.push_back("--direct");
  if (object.meta.annotation(api::kAllowEmptyAnnotation) == "true") out.push_back("--allow-empty");
  return out;
}

Json environment(const api::Replication& object) {
  const auto& rsync = *object.spec.rsync;
  return Json::array({{{"name", api::mover_env::kAddress}, {"value", rsync.address.value_or("")}},
                      {{"name", api::mover_env::kPort}, {"value", std::to_string(rsync.port.value_or(22))}}});
}

Json securityContext(const World& world) {
  Json out = {{"allowPrivilegeEscalation", false},
              {"capabilities", {{"drop", {"ALL"}}}},
              {"privileged", false},
              {"readOnlyRootFilesystem", true}};
  if (unprivileged(world)) return out;
  out["runAsUser"] = 0;
  out["capabilities"]["add"] = {"AUDIT_WRITE", "CHOWN",   "DAC_OVERRIDE", "FOWNER", "FSETID",
                                "MKNOD",       "SETFCAP", "SETGID",       "SETUID", "SYS_CHROOT"};
  return out;
}

Json container(const api::Replication& object, const World& world, const ControllerConfig& config) {
  Json mounts = Json::array({{{"name", "keys"}, {"mountPath", "/keys"}}, {{"name", "tmp"}, {"mountPath", "/tmp"}}});
  if (!unprivileged(world)) mounts.push_back({{"name", "ssh"}, {"mountPath", "/root/.ssh"}});
  Json out = {{"name", "rsync"},
              {"image", config.moverImage},
              {"command", {"godwit", "mover", api::name(object.role)}},
              {"securityContext", securityContext(world)},
              {"terminationMessagePolicy", "FallbackToLogsOnError"}};
  if (!config.moverImagePullPolicy.empty()) out["imagePullPolicy"] = config.moverImagePullPolicy;
  if (Json args = arguments(object); !args.empty()) out["args"] = std::move(args);
  if (!object.spec.rsync->moverResources.is_null()) out["resources"] = object.spec.rsync->moverResources;
  if (object.role == api::Role::Source) {
    out["env"] = environment(object);
  } else {
    out["ports"] = Json::array({{{"name", "ssh"}, {"containerPort", 8022}, {"protocol", "TCP"}}});
  }
  if (blockVolume(object, world)) {
    out["volumeDevices"] = Json::array({{{"name", "data"}, {"devicePath", kBlockDevice}}});
  } else {
    mounts.push_back({{"name", "data"}, {"mountPath", "/data"}});
    if (readOnly(object, world)) mounts.back()["readOnly"] = true;
  }
  out["volumeMounts"] = std::move(mounts);
  return out;
}

Json volumes(const api::Replication& object, const World& world) {
  const auto memory = [](const char* name) { return Json{{"name", name}, {"emptyDir", {{"medium", "Memory"}}}}; };
  Json claim = {{"claimName", dataVolume(object)}};
  if (readOnly(object, world)) claim["readOnly"] = true;
  const Json keys = {{"secretName", moverSecret(object)}, {"defaultMode", unprivileged(world) ? 0440 : 0600}};
  Json out = Json::array({{{"name", "data"}, {"persistentVolumeClaim", std::move(claim)}},
                          {{"name", "keys"}, {"secret", keys}},
                          memory("tmp")});
  if (!unprivileged(world)) out.push_back(memory("ssh"));
  return out;
}

// Within Pod Security "restricted" where the namespace asks for it; the group lets that user write the volume and read
// the keys.
Json podSecurity(const World& world, const ControllerConfig& config) {
  if (!unprivileged(world)) return {{"runAsUser", 0}};
  Json out = {{"runAsNonRoot", true},
              {"fsGroupChangePolicy", "OnRootMismatch"},
              {"seccompProfile", {{"type", "RuntimeDefault"}}}};
  // OpenShift gives each namespace ids of its own, and admits no others.
  if (!config.securityConstraints.empty()) return out;
  constexpr int kNobody = 65532;
  for (const char* id : {"runAsUser", "runAsGroup", "fsGroup"}) out[id] = kNobody;
  return out;
}

Json podLabels(const api::Replication& object) {
  Json out = object.spec.rsync->moverPodLabels;
  if (!out.is_object()) out = Json::object();
  out["app.kubernetes.io/name"] = api::podNameLabel(object.role, object.meta.name);
  out[kComponentLabel] = kComponentValue;
  out["app.kubernetes.io/part-of"] = "volsync";
  out[api::kCreatedByLabel] = api::kCreatedByValue;
  return out;
}

Json podSpec(const api::Replication& object, const World& world, const ControllerConfig& config) {
  Json out = {{"restartPolicy", "Never"},
              {"serviceAccountName", moverAccount(object)},
              {"containers", Json::array({container(object, world, config)})},
              {"volumes", volumes(object, world)}};
  out["securityContext"] = podSecurity(world, config);
  // It talks to no API server, faces the network and may be root: it gets no token that it could lose. An account of
  // the user's may be there for one, as a sidecar needs it.
  if (!object.spec.rsync->moverServiceAccount) out["automountServiceAccountToken"] = false;
  for (const auto& secret : config.imagePullSecrets) out["imagePullSecrets"].push_back({{"name", secret}});
  return out;
}

// Anywhere: other nodes are no other pod.
Json podTemplate(const api::Replication& object, const World& world, const ControllerConfig& config) {
  return {{"metadata", {{"labels", podLabels(object)}}}, {"spec", podSpec(object, world, config)}};
}

std::string hashOf(const Json& podTemplate) {
  return api::crc32(dumpJson(podTemplate));
}

void place(Json& podSpec, const Placement& placement) {
  if (placement.node.empty()) return;
  podSpec["nodeSelector"] = {{"kubernetes.io/hostname", placement.node}};
  if (placement.tolerations.is_array() && !placement.tolerations.empty())
    podSpec["tolerations"] = placement.tolerations;
}

// The value the data that is sent was copied for; a later one asks for another iteration.
std::string manualOfIteration(const api::Replication& object, const World& world) {
  if (!usesOwnVolume(object) || !world.made) return manualTrigger(object);
  const auto it = world.made->meta.annotations.find(kForManualAnnotation);
  return it == world.made->meta.annotations.end() ? manualTrigger(object) : it->second;
}

}  // namespace

Json planJob(const api::Replication& object, const World& world, const ControllerConfig& config,
             const Placement& placement) {
  Json out = childOfIteration(object, kube::resources::kJobs, api::jobName(object.role, object.meta.name));
  Json pod = podTemplate(object, world, config);
  out["metadata"]["annotations"][kPodHashAnnotation] = hashOf(pod);
  place(pod["spec"], placement);
  if (object.status.lastSyncStartTime) {
    out["metadata"]["annotations"][kForSyncAnnotation] = api::formatTime(*object.status.lastSyncStartTime);
  }
  if (object.role == api::Role::Source) {
    out["metadata"]["annotations"][kForManualAnnotation] = manualOfIteration(object, world);
  }
  out["spec"] = {{"backoffLimit", 2},
                 {"parallelism", object.spec.paused ? 0 : 1},
                 {"podReplacementPolicy", "Failed"},  // never two movers at one volume, also while one is ending
                 {"template", std::move(pod)}};
  return out;
}

std::string podHash(const api::Replication& object, const World& world, const ControllerConfig& config) {
  World anew = world;
  anew.job = nullptr;
  return hashOf(podTemplate(object, anew, config));
}

}  // namespace godwit::replication
