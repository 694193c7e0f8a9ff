// The mover's keys: the user's, or made once and kept.
#include <fmt/format.h>

#include "api/names.h"
#include "replication/act.h"
#include "replication/key_check.h"
#include "replication/keygen.h"
#include "replication/plan.h"

namespace godwit::replication {

namespace {

using kube::resources::kSecrets;
// Secrets of users are not watched: one that was missing or wrong is looked at again after this long at most.
constexpr Duration kLookAgain = std::chrono::seconds(15);
// A pod that is still not started after this long may wait for a Secret that is gone.
constexpr Duration kStartPatience = std::chrono::seconds(30);

struct SecretNames {
  std::string main, source, destination;
};
SecretNames namesFor(const api::Replication& object) {
  const auto& name = object.meta.name;
  return {api::mainSecretName(object.role, name), api::sourceSecretName(object.role, name),
          api::destSecretName(object.role, name)};
}

// Of Godwit's own Secrets only the field names are kept in memory: enough to see that they are whole.
bool whole(const Pass& pass, const std::string& name, const std::vector<std::string>& fields) {
  const auto card = pass.doors.views.secrets.get({pass.object.meta.ns, name});
  return card && ownedBy(card->meta, pass.object.meta) &&
         std::all_of(fields.begin(), fields.end(), [&](const auto& field) { return card->fields.contains(field); });
}

Result<api::StringMap> makeKeys(Pass& pass) {
  const auto comment = [&](const char* side) {
    return fmt::format("{}@{}.{}", side, pass.object.meta.name, pass.object.meta.ns);
  };
  const auto type = pass.doors.config.keyType;
  GODWIT_ASSIGN(const auto source, generateKeyPair(type, comment("source")));
  GODWIT_ASSIGN(const auto destination, generateKeyPair(type, comment("destination")));
  return api::StringMap{{"source", source.privateKey},
                        {"source.pub", source.publicKey},
                        {"destination", destination.privateKey},
                        {"destination.pub", destination.publicKey}};
}

// The four fields of the main Secret, made when it is not there.
Result<api::StringMap> mainKeys(Pass& pass, const std::string& name) {
  const api::NamespacedName key{pass.object.meta.ns, name};
  Result<Json> stored = Error{Errc::AlreadyExists, ""};
  if (!pass.doors.views.secrets.get(key)) {
    GODWIT_ASSIGN(const auto keys, makeKeys(pass));
    stored = pass.doors.api.create(kSecrets, planSecret(pass.object, name, keys));
  }
  if (stored.is(Errc::AlreadyExists)) stored = pass.doors.api.get(kSecrets, key);
  if (!stored) return stored.error();
  const auto secret = api::secretFromJson(*stored);
  GODWIT_TRY(checkOwner(kSecrets, secret.meta, pass.object));
  for (const auto role : {api::Role::Source, api::Role::Destination}) GODWIT_TRY(checkKeySecret(role, secret));
  pass.doors.views.secrets.wrote(*stored);
  return secret.data;
}

// One that was there already may hold another pair: the main Secret was made anew, and this one was kept.
Result<void> agree(Pass& pass, const std::string& name, const Json& wanted) {
  const api::NamespacedName key{pass.object.meta.ns, name};
  GODWIT_ASSIGN(const auto stored, pass.doors.api.get(kSecrets, key));
  const Json& data = wanted.at("data");
  const bool same = std::all_of(data.items().begin(), data.items().end(), [&](const auto& field) {
    return text(stored, "data", field.key().c_str()) == field.value();
  });
  if (same) return {};
  GODWIT_TRY(checkOwner(kSecrets, api::metaFromJson(stored), pass.object));
  const auto changed = patch(pass, pass.doors.views.secrets, kSecrets, key, {{"data", data}});
  if (changed.ok()) return {};
  if (!changed.is(Errc::Invalid)) return changed.error();
  return Error{Errc::Invalid, fmt::format("Secret {} does not hold the keys of the main one and cannot be changed; "
                                          "delete it and it will be made again",
                                          name)};
}

Result<void> derive(Pass& pass, const std::string& name, const std::vector<std::string>& fields,
                    const api::StringMap& keys) {
  api::StringMap data;
  for (const auto& field : fields) data[field] = keys.at(field);
  const Json wanted = planSecret(pass.object, name, data);
  if (!whole(pass, name, fields)) {
    GODWIT_ASSIGN(const auto made, create(pass, pass.doors.views.secrets, kSecrets, wanted));
    if (made.created) return {};
  }
  return agree(pass, name, wanted);
}

Result<void> ownKeys(Pass& pass) {
  const auto names = namesFor(pass.object);
  const auto& source = keyFields(api::Role::Source);
  const auto& destination = keyFields(api::Role::Destination);
  if (whole(pass, names.source, source) && whole(pass, names.destination, destination)) return {};
  GODWIT_ASSIGN(const auto keys, mainKeys(pass, names.main));
  GODWIT_TRY(derive(pass, names.source, source, keys));
  return derive(pass, names.destination, destination, keys);
}

Result<void> usersKeys(Pass& pass) {
  const auto& name = *pass.object.spec.rsync->sshKeys;
  auto& vouched = pass.doors.views.userKeys;
  const api::NamespacedName key{pass.object.meta.ns, name};
  if (vouched.contains(key)) return {};
  const auto stored = pass.doors.api.get(kSecrets, key);
  if (stored.is(Errc::NotFound)) {
    return Error{Errc::NotFound, fmt::format("spec.rsync.sshKeys: Secret {} not found in namespace {}; copy it from "
                                             "the other end's status.rsync.sshKeys or correct the name",
                                             name, pass.object.meta.ns)};
  }
  if (!stored) return stored.error();
  GODWIT_TRY(checkKeySecret(pass.object.role, api::secretFromJson(*stored)));
  vouched.add(key);
  return {};
}

// The kubelet waits for a Secret without a word in the pod's status.
bool waitsToStart(Pass& pass) {
  const auto& pod = pass.world.pod;
  if (!pod || pod->phase != "Pending" || !pod->unschedulable.empty()) return false;
  if (!pod->waitingReason.empty() && pod->waitingReason != "ContainerCreating") return false;
  return pass.overdue(pod->meta, kStartPatience);
}

}  // namespace

Outcome stepKeys(Pass& pass) {
  auto& status = pass.object.status.rsync;
  const bool users = pass.object.spec.rsync->sshKeys.has_value();
  if (users && status) status->sshKeys.reset();
  // While a mover runs its keys were good when it started; their name is published all the same, because whoever
  // started it may have died before it could.
  const bool waits = waitsToStart(pass);
  const bool inUse = pass.world.job && !pass.world.job->meta.deletionTimestamp && !waits;
  const bool failed = pass.world.job && pass.world.job->failedForGood;
  if (users && (waits || failed))
    pass.doors.views.userKeys.doubt({pass.object.meta.ns, *pass.object.spec.rsync->sshKeys});
  if (const auto keys = inUse ? Result<void>() : users ? usersKeys(pass) : ownKeys(pass); !keys) {
    pass.wake(pass.world.now + kLookAgain);
    return Failure{keys.error().message};
  }
  if (users) return Done{};
  if (!status) status.emplace();
  const auto names = namesFor(pass.object);
  status->sshKeys = pass.object.role == api::Role::Destination ? names.source : names.destination;
  return Done{};
}

}  // namespace godwit::replication
