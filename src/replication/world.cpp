#include "replication/world.h"

#include "api/names.h"

namespace godwit::replication {

using api::Role;

bool usesOwnVolume(const api::Replication& object) {
  if (!object.spec.rsync) return false;
  return object.role == Role::Source ? !object.spec.rsync->direct() : !object.spec.rsync->destinationPVC;
}

std::string dataVolume(const api::Replication& object) {
  if (usesOwnVolume(object)) return api::volumeName(object.role, object.meta.name);
  return object.role == Role::Source ? object.spec.sourcePVC : object.spec.rsync->destinationPVC.value_or("");
}

std::string moverSecret(const api::Replication& object) {
  if (object.spec.rsync->sshKeys) return *object.spec.rsync->sshKeys;
  return object.role == Role::Source ? api::sourceSecretName(object.role, object.meta.name)
                                     : api::destSecretName(object.role, object.meta.name);
}

std::string moverAccount(const api::Replication& object) {
  return object.spec.rsync->moverServiceAccount.value_or(api::accountName(object.role, object.meta.name));
}

bool needsService(const api::Replication& object) {
  return object.spec.rsync && !object.spec.rsync->address;
}

std::string manualTrigger(const api::Replication& object) {
  return object.spec.trigger ? object.spec.trigger->manual.value_or("") : "";
}

bool unprivileged(const World& world) {
  const auto it = world.namespaceAnnotations.find(api::kPrivilegedMoversAnnotation);
  return it != world.namespaceAnnotations.end() && it->second == "false";
}

bool ownedBy(const api::ObjectMeta& child, const api::ObjectMeta& owner) {
  const auto* controller = child.controller();
  return controller && controller->uid == owner.uid;
}

View<api::Pvc>::Ptr World::data(const api::Replication& object) const {
  if (job && !job->dataClaim.empty()) return mounted;
  return usesOwnVolume(object) ? made : given;
}

static View<api::Pod>::Ptr youngestPod(const Views& views, const api::Job& job) {
  View<api::Pod>::Ptr youngest;
  for (auto& pod : views.pods.indexed(job.meta.ns, job.meta.uid)) {
    if (!youngest || pod->meta.creationTimestamp > youngest->meta.creationTimestamp) youngest = std::move(pod);
  }
  return youngest;
}

World look(const Views& views, const api::Replication& object, TimePoint now) {
  const auto& ns = object.meta.ns;
  const auto& owner = object.meta.name;
  World world;
  world.now = now;
  if (const auto space = views.namespaces.get({"", ns})) world.namespaceAnnotations = space->meta.annotations;
  const std::string given = object.role == Role::Source ? object.spec.sourcePVC
                            : object.spec.rsync         ? object.spec.rsync->destinationPVC.value_or("")
                                                        : "";
  if (!given.empty()) world.given = views.pvcs.get({ns, given});
  world.made = views.pvcs.get({ns, api::volumeName(object.role, owner)});
  world.service = views.services.get({ns, api::serviceName(object.role, owner)});
  world.job = views.jobs.get({ns, api::jobName(object.role, owner)});
  if (world.job) {
    world.pod = youngestPod(views, *world.job);
    if (!world.job->dataClaim.empty()) world.mounted = views.pvcs.get({ns, world.job->dataClaim});
  }
  const api::NamespacedName account{ns, api::accountName(object.role, owner)};
  world.account = views.accounts.get(account);
  world.role = views.roles.get(account);
  world.roleBinding = views.roleBindings.get(account);
  if (object.role == Role::Source) {
    world.copy = views.snapshots.get({ns, api::volumeName(object.role, owner)});
  } else if (const auto data = world.data(object)) {
    const auto image = data->meta.annotation(api::kSnapNameAnnotation);
    if (!image.empty()) world.image = views.snapshots.get({ns, image});
  }
  return world;
}

}  // namespace godwit::replication
