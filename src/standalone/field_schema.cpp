#include "standalone/field_schema.h"

#include <fmt/core.h>

#include "api/schema.h"
#include "standalone/field_table.h"
#include "standalone/openapi_kinds.h"

namespace godwit::standalone {

namespace {

// As servers and clients of typed kinds read JSON, null means absent everywhere.
Json nullable(const char* type) {
  return {{"type", type}, {"nullable", true}};
}

Json container(const char* type, const char* key, Json inner) {
  Json out = nullable(type);
  out[key] = std::move(inner);
  return out;
}

Json schemaNamed(std::string_view type) {
  static const Json kIntOrString{{"anyOf", {{{"type", "integer"}}, {{"type", "string"}}}},
                                 {"nullable", true},
                                 {"x-kubernetes-int-or-string", true}};
  if (type.starts_with("[]")) return container("array", "items", schemaNamed(type.substr(2)));
  if (type == "str" || type == "time" || type == "microtime") return nullable("string");
  if (type == "int") return nullable("integer");
  if (type == "bool") return nullable("boolean");
  if (type == "quantity" || type == "intstr") return kIntOrString;
  if (type == "map" || type == "bytes") return container("object", "additionalProperties", nullable("string"));
  if (type == "quantities") return container("object", "additionalProperties", kIntOrString);
  const auto* fields = fieldsOf(type);
  if (!fields) return {{"x-kubernetes-preserve-unknown-fields", true}};
  Json properties = Json::object();
  for (const auto& field : *fields) properties[field.name] = schemaNamed(field.type);
  return container("object", "properties", std::move(properties));
}

Json schemaOfKind(const std::string& kind) {
  Json out = schemaNamed(kind);
  Json& properties = out["properties"];
  properties["apiVersion"] = {{"type", "string"}};
  properties["kind"] = {{"type", "string"}};
  properties["metadata"] = schemaNamed("Meta");
  return out;
}

}  // namespace

const Json& metadataSchema() {
  static const Json kSchema = schemaNamed("Meta");
  return kSchema;
}

const Json& deleteOptionsSchema() {
  static const Json kSchema = schemaNamed("DeleteOptions");
  return kSchema;
}

const Json* fieldSchemaOf(const kube::ResourceType& type) {
  static const auto kSchemas = [] {
    std::map<std::string_view, Json> out;
    for (const auto* each : kube::resources::all()) {
      if (each->group == api::kGroup) {
        out[each->kind] = schemaOf(each->kind);
      } else if (fieldsOf(each->kind)) {
        out[each->kind] = schemaOfKind(std::string(each->kind));
      }
    }
    return out;
  }();
  const auto it = kSchemas.find(type.kind);
  return it == kSchemas.end() ? nullptr : &it->second;
}

std::vector<std::string> pruneUnknown(const kube::ResourceType& type, Json& object) {
  std::vector<std::string> unknown;
  const Json* schema = fieldSchemaOf(type);
  if (!schema || !object.is_object()) return unknown;
  for (const auto& path : api::prune(*schema, object)) unknown.push_back(fmt::format("unknown field \"{}\"", path));
  const auto metadata = object.find("metadata");
  if (metadata == object.end()) return unknown;
  for (const auto& path : api::prune(metadataSchema(), *metadata))
    unknown.push_back(fmt::format("unknown field \"metadata.{}\"", path));
  return unknown;
}

}  // namespace godwit::standalone
