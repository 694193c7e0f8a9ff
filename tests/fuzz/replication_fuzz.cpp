#include "api/core.h"
#include "api/crd.h"
#include "api/replication.h"
#include "api/schema.h"
#include "fuzz/fuzz.h"

using namespace godwit;

static const Json& schemaOf(api::Role role) {
  static const auto schema = [](api::Role of) {
    return api::crd(of).at("spec").at("versions").at(0).at("schema").at("openAPIV3Schema");
  };
  static const Json source = schema(api::Role::Source), destination = schema(api::Role::Destination);
  return role == api::Role::Source ? source : destination;
}

static void readAsAnything(const Json& object) {
  api::pvcFromJson(object);
  api::snapshotFromJson(object);
  api::jobFromJson(object);
  api::podFromJson(object);
  api::serviceFromJson(object);
  api::secretFromJson(object);
}

static void admit(api::Role role, Json object) {
  api::applyDefaults(schemaOf(role), object);
  api::prune(schemaOf(role), object);
  fuzz::require(api::prune(schemaOf(role), object).empty(), "prune leaves something to prune");
  for (const auto& error : api::validateSchema(schemaOf(role), object))
    fuzz::require(!error.message.empty(), "an error without a message");
}

GODWIT_FUZZ_TARGET(
    replication,
    R"({"apiVersion":"volsync.backube/v1alpha1","kind":"ReplicationSource","metadata":{"name":"a","labels":{"x":"y"}},"spec":{"sourcePVC":"p","trigger":{"schedule":"*/5 * * * *"},"rsync":{"copyMethod":"Clone","address":"h","port":22,"path":"/a/..","sshUser":"root","capacity":"1Gi"}}})",
    R"({"apiVersion":"volsync.backube/v1alpha1","kind":"ReplicationDestination","metadata":{"name":"b"},"spec":{"rsync":{"copyMethod":"Snapshot","accessModes":["ReadWriteOnce"],"capacity":5,"moverResources":{"limits":{"cpu":"1"}}}},"status":{"lastSyncTime":"2021-01-14T19:43:07Z","lastSyncDuration":"1m2.5s","latestImage":{"apiGroup":"","kind":"PersistentVolumeClaim","name":"p"},"conditions":[{"type":"Synchronizing","status":"True","reason":"r","message":"m"}]}})",
    R"({"kind":"Pod","spec":{"volumes":[{"persistentVolumeClaim":{"claimName":"c"}}],"ports":[{"port":1}]},"status":{"containerStatuses":[{"state":{"terminated":{"exitCode":1}}}],"conditions":[{"type":"Failed","status":"True"}]},"data":{"k":"Zg=="}})") {
  const auto object = parseJson(input);
  if (!object) return;
  readAsAnything(*object);
  for (const auto role : {api::Role::Source, api::Role::Destination}) admit(role, *object);
  const auto read = api::replicationFromJson(*object);
  if (!read) return;
  for (const auto& error : api::validate(*read))
    fuzz::require(!error.field.empty() && !error.message.empty(), "an error without its field");
  const Json written = api::toJson(*read);
  const auto again = api::replicationFromJson(written);
  fuzz::require(again.ok() && api::toJson(*again) == written, "toJson changes the object");
  fuzz::require(api::statusPatch(read->status, again->status).empty(), "the status changes on its way");
}
