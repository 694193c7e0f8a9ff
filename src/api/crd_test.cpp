#include "api/crd.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "api/crd_fields.h"
#include "api/schema.h"
#include "api/yaml.h"

using namespace godwit;
using namespace godwit::api;

static const Role kRoles[] = {Role::Source, Role::Destination};

TEST(Crd, TheCheckedInFilesAreWhatIsPrinted) {
  for (const Role role : kRoles) {
    const auto plural = crd(role)["spec"]["names"]["plural"].get<std::string>();
    const auto path = fmt::format("{}/deploy/crds/volsync.backube_{}.yaml", GODWIT_SOURCE_DIR, plural);
    std::stringstream file;
    file << std::ifstream(path).rdbuf();
    EXPECT_EQ(file.str(), crdYaml(role)) << path << " is old: write it anew from `godwit crds`";
    EXPECT_EQ(parseYaml(crdYaml(role))->at(0), crd(role));
  }
}

TEST(Crd, NamesColumnsAndStatus) {
  const Json source = crd(Role::Source), destination = crd(Role::Destination);
  EXPECT_EQ(text(source, "metadata", "name"), "replicationsources.volsync.backube");
  const auto columns = [](const Json& crd) {
    std::string all;
    for (const Json& column : crd["spec"]["versions"][0]["additionalPrinterColumns"])
      all += text(column, "name") + text(column, "jsonPath") + " ";
    return all;
  };
  EXPECT_EQ(columns(source),
            "Source.spec.sourcePVC Last sync.status.lastSyncTime Duration.status.lastSyncDuration Next "
            "sync.status.nextSyncTime ");
  EXPECT_EQ(columns(destination),
            "Last sync.status.lastSyncTime Duration.status.lastSyncDuration Next sync.status.nextSyncTime ");
  EXPECT_TRUE(source["spec"]["versions"][0]["subresources"].contains("status"));
}

// What the API server demands of a structural schema: a type everywhere (except int-or-string), described here for
// people.
static void checkStructural(const Json& schema, const std::string& path) {
  EXPECT_TRUE(schema.contains("type") != truth(schema, "x-kubernetes-int-or-string")) << path;
  EXPECT_FALSE(schema.contains("properties") && schema.contains("additionalProperties")) << path;
  if (const Json* properties = find(schema, "properties"))
    for (const auto& [key, inner] : properties->items()) checkStructural(inner, path + "." + key);
  if (const Json* items = find(schema, "items")) checkStructural(*items, path + "[]");
  if (const Json* values = find(schema, "additionalProperties")) checkStructural(*values, path + ".*");
}

TEST(Crd, SchemasAreStructuralAndDescribed) {
  for (const Role role : kRoles)
    checkStructural(crd(role)["spec"]["versions"][0]["schema"]["openAPIV3Schema"], kindOf(role));
  for (const FieldRow& row : fieldTable()) EXPECT_STRNE(row.description, "") << row.path;
}

// What toJson writes, the schema must know: a field forgotten in the table would be pruned by the API server.
TEST(Crd, EveryFieldOfTheStructsIsInTheTable) {
  const char* rsync =
      R"({"copyMethod": "Direct", "capacity": "1Gi", "storageClassName": "s", "accessModes": ["ReadWriteOnce"],
    "volumeSnapshotClassName": "v", "sshKeys": "k", "serviceType": "ClusterIP", "address": "a", "port": 22, "path": "/",
    "sshUser": "u", "moverServiceAccount": "m", "moverPodLabels": {"a": "b"}, "moverResources": {"limits": {"cpu": 1}})";
  for (const Role role : kRoles) {
    const std::string more =
        role == Role::Source
            ? "}"
            : R"(, "destinationPVC": "p", "volumeMode": "Block", "serviceAnnotations": {"a": "b"}, "cleanupTempPVC": true})";
    Json object = {{"apiVersion", kApiVersion}, {"kind", kindOf(role)}, {"metadata", {{"name", "n"}}}};
    object["spec"] = {{"trigger", {{"schedule", "@daily"}, {"manual", "x"}}},
                      {"paused", true},
                      {"external", Json::object()},
                      {"restic", Json::object()},
                      {"rsync", Json::parse(rsync + more)}};
    if (role == Role::Source) object["spec"]["sourcePVC"] = "p";
    object["status"] =
        Json::parse(R"({"lastSyncTime": "2021-01-14T19:43:07Z", "lastSyncStartTime": "2021-01-14T19:43:07Z",
      "nextSyncTime": "2021-01-14T19:43:07Z", "lastSyncDuration": "1s", "lastManualSync": "x", "latestMoverStatus": {"result": "Failed", "logs": "l"},
      "rsync": {"address": "a", "port": 1, "sshKeys": "k"}, "conditions": [{"type": "t", "status": "True", "reason": "r", "message": "m",
      "lastTransitionTime": "2021-01-14T19:43:07Z", "observedGeneration": 3}]})");
    if (role == Role::Destination)
      object["status"]["latestImage"] = {{"apiGroup", ""}, {"kind", "PersistentVolumeClaim"}, {"name", "p"}};
    const Json written = toJson(*replicationFromJson(object));
    EXPECT_EQ(written, object);
    Json pruned = written;
    const Json schema = crd(role)["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    for (const auto& path : prune(schema, pruned)) ADD_FAILURE() << path << " is missing in the table of fields";
    for (const auto& error : validateSchema(schema, written)) ADD_FAILURE() << error.field << ": " << error.message;
  }
}
