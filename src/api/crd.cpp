#include "api/crd.h"

#include "api/crd_fields.h"
#include "api/yaml.h"

namespace godwit::api {

namespace {

constexpr const char* kQuantityPattern =
    R"(^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$)";

Json textSchema() {
  return {{"type", "string"}};
}

Json quantitySchema() {
  return {{"anyOf", {{{"type", "integer"}}, {{"type", "string"}}}},
          {"pattern", kQuantityPattern},
          {"x-kubernetes-int-or-string", true}};
}

Json choiceSchema(std::string_view choices) {
  Json schema = textSchema();
  for (;;) {
    const auto end = choices.find('|');
    schema["enum"].push_back(std::string(choices.substr(0, end)));
    if (end == choices.npos) return schema;
    choices.remove_prefix(end + 1);
  }
}

Json mapOf(Json schema) {
  return {{"type", "object"}, {"additionalProperties", std::move(schema)}};
}

Json conditionsSchema() {
  const auto told = [](Json schema, const char* description) {
    schema["description"] = description;
    return schema;
  };
  const Json time = {{"type", "string"}, {"format", "date-time"}};
  const Json generation = {{"type", "integer"}, {"format", "int64"}, {"minimum", 0}};
  const Json item = {
      {"type", "object"},
      {"required", {"lastTransitionTime", "message", "reason", "status", "type"}},
      {"properties",
       {{"type", told({{"type", "string"}, {"maxLength", 316}}, "Synchronizing or Reconciled.")},
        {"status", told(choiceSchema("True|False|Unknown"), "Whether it holds.")},
        {"reason", told({{"type", "string"}, {"minLength", 1}, {"maxLength", 1024}}, "The cause in one word.")},
        {"message", told({{"type", "string"}, {"maxLength", 32768}}, "The cause for people.")},
        {"lastTransitionTime", told(time, "When status changed last.")},
        {"observedGeneration", told(generation, "The metadata.generation this was said of.")}}}};
  return {{"type", "array"}, {"items", item}};
}

Json referenceSchema() {
  return {{"type", "object"},
          {"required", {"kind", "name"}},
          {"properties", {{"apiGroup", textSchema()}, {"kind", textSchema()}, {"name", textSchema()}}},
          {"x-kubernetes-map-type", "atomic"}};
}

Json schemaOf(const FieldRow& row) {
  switch (row.type) {
    case FieldType::Object:
      return {{"type", "object"}};
    case FieldType::Opaque:
      return {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
    case FieldType::Text:
      return textSchema();
    case FieldType::Choice:
      return choiceSchema(row.choices);
    case FieldType::Pattern:
      return {{"type", "string"}, {"pattern", row.choices}};
    case FieldType::Bool:
      return {{"type", "boolean"}};
    case FieldType::Port:
      return {{"type", "integer"}, {"format", "int32"}, {"minimum", 0}, {"maximum", 65535}};
    case FieldType::Quantity:
      return quantitySchema();
    case FieldType::Time:
      return {{"type", "string"}, {"format", "date-time"}};
    case FieldType::AccessModes:
      return {{"type", "array"}, {"minItems", 1}, {"items", textSchema()}};
    case FieldType::TextMap:
      return mapOf(textSchema());
    case FieldType::QuantityMap:
      return mapOf(quantitySchema());
    case FieldType::Conditions:
      return conditionsSchema();
    case FieldType::ObjectReference:
      return referenceSchema();
  }
  return Json::object();
}

// The object that holds the schema of `path`'s last part: `properties` of each part on the way.
Json& holderOf(Json& root, std::string_view path, std::string& last) {
  Json* at = &root;
  for (;;) {
    const auto dot = path.find('.');
    last = path.substr(0, dot);
    if (dot == path.npos) return (*at)["properties"];
    at = &(*at)["properties"][last];
    path.remove_prefix(dot + 1);
  }
}

Json openApi(Role role) {
  Json root = {
      {"type", "object"},
      {"description", role == Role::Source ? "The volume that is replicated, and where to."
                                           : "The volume that receives a replica, and the images kept of it."}};
  root["properties"] = {
      {"apiVersion",
       {{"type", "string"}, {"description", "Version of this object's schema: volsync.backube/v1alpha1."}}},
      {"kind", {{"type", "string"}, {"description", std::string(kindOf(role)) + "."}}},
      {"metadata", {{"type", "object"}}}};
  for (const FieldRow& row : fieldTable()) {
    if (!appliesTo(row, role)) continue;
    Json schema = schemaOf(row);
    schema["description"] = row.description;
    std::string last;
    Json& holder = holderOf(root, row.path, last);
    holder[last] = std::move(schema);
  }
  return root;
}

Json printColumns(Role role) {
  Json columns = Json::array();
  if (role == Role::Source)
    columns.push_back({{"name", "Source"}, {"type", "string"}, {"jsonPath", ".spec.sourcePVC"}});
  columns.push_back(
      {{"name", "Last sync"}, {"type", "string"}, {"format", "date-time"}, {"jsonPath", ".status.lastSyncTime"}});
  columns.push_back({{"name", "Duration"}, {"type", "string"}, {"jsonPath", ".status.lastSyncDuration"}});
  columns.push_back(
      {{"name", "Next sync"}, {"type", "string"}, {"format", "date-time"}, {"jsonPath", ".status.nextSyncTime"}});
  return columns;
}

}  // namespace

Json crd(Role role) {
  const std::string kind = kindOf(role);
  const std::string singular = role == Role::Source ? "replicationsource" : "replicationdestination";
  const std::string plural = singular + "s";
  const Json version = {{"name", "v1alpha1"},
                        {"served", true},
                        {"storage", true},
                        {"additionalPrinterColumns", printColumns(role)},
                        {"schema", {{"openAPIV3Schema", openApi(role)}}},
                        {"subresources", {{"status", Json::object()}}}};
  return {{"apiVersion", "apiextensions.k8s.io/v1"},
          {"kind", "CustomResourceDefinition"},
          {"metadata", {{"name", plural + "." + kGroup}}},
          {"spec",
           {{"group", kGroup},
            {"names", {{"kind", kind}, {"listKind", kind + "List"}, {"plural", plural}, {"singular", singular}}},
            {"scope", "Namespaced"},
            {"versions", Json::array({version})}}}};
}

std::string crdYaml(Role role) {
  return toYaml(crd(role));
}

}  // namespace godwit::api
