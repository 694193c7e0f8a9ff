#include "standalone/openapi.h"

#include "kube/resource.h"
#include "standalone/openapi_kinds.h"

namespace godwit::standalone {

namespace {

constexpr const char* kMetaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

// "api/v1", "apis/batch/v1": how OpenAPI v3 names a group and version.
std::string documentOf(const kube::ResourceType& type) {
  return (type.group.empty() ? "api/" : "apis/") + type.apiVersion();
}

// Schema names are dotted, the group reversed: io.k8s.batch.v1.Job.
std::string schemaName(const kube::ResourceType& type) {
  return "io.godwit." + std::string(type.group.empty() ? "core" : type.group) + "." + std::string(type.version) + "." +
         std::string(type.kind);
}

Json gvk(const kube::ResourceType& type) {
  return {{"group", type.group}, {"version", type.version}, {"kind", type.kind}};
}

Json query(const char* name) {
  return {{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}};
}

Json operation(const kube::ResourceType& type, bool writes) {
  Json op = {{"x-kubernetes-group-version-kind", gvk(type)}, {"responses", {{"200", {{"description", "OK"}}}}}};
  if (writes) op["parameters"] = {query("dryRun"), query("fieldManager"), query("fieldValidation")};
  return op;
}

// PATCH names no content types on purpose: kubectl then computes strategic merge patches from the types it knows
// itself, which are complete, and not from our short schemas.
void addPaths(Json& paths, const kube::ResourceType& type) {
  const auto collection = type.path(type.namespaced ? "{namespace}" : "");
  paths[collection] = {{"get", operation(type, false)}, {"post", operation(type, true)}};
  paths[collection + "/{name}"] = {{"get", operation(type, false)},
                                   {"put", operation(type, true)},
                                   {"patch", operation(type, true)},
                                   {"delete", operation(type, true)}};
}

Json kindSchema(const kube::ResourceType& type) {
  auto schema = schemaOf(type.kind);
  schema["properties"]["metadata"] = {{"description", "Standard metadata."},
                                      {"allOf", {{{"$ref", std::string("#/components/schemas/") + kMetaName}}}}};
  schema["x-kubernetes-group-version-kind"] = {gvk(type)};
  return schema;
}

}  // namespace

Json openapiIndex() {
  Json paths = Json::object();
  for (const auto* type : kube::resources::all()) {
    const auto document = documentOf(*type);
    // The hash lets clients keep a document for ever; ours change only with the program.
    paths[document] = {{"serverRelativeURL", "/openapi/v3/" + document + "?hash=" GODWIT_VERSION}};
  }
  return {{"paths", std::move(paths)}};
}

Result<Json> openapiDocument(std::string_view path) {
  Json paths = Json::object(), schemas = Json::object();
  for (const auto* type : kube::resources::all()) {
    if (documentOf(*type) != path) continue;
    addPaths(paths, *type);
    schemas[schemaName(*type)] = kindSchema(*type);
  }
  if (paths.empty()) return Error{Errc::NotFound, "no OpenAPI document for " + std::string(path)};
  schemas[kMetaName] = objectMetaSchema();
  return Json{{"openapi", "3.0.0"},
              {"info", {{"title", "Godwit"}, {"version", GODWIT_VERSION}}},
              {"paths", std::move(paths)},
              {"components", {{"schemas", std::move(schemas)}}}};
}

std::string openapiV2() {
  const auto field = [](int number, const std::string& bytes) {  // all of ours are shorter than 128 bytes
    return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
  };
  constexpr int kSwagger = 1, kInfo = 2, kPaths = 8, kTitle = 1, kVersion = 2;
  return field(kSwagger, "2.0") + field(kInfo, field(kTitle, "Godwit") + field(kVersion, GODWIT_VERSION)) +
         field(kPaths, "");
}

}  // namespace godwit::standalone
