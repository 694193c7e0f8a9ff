#include "api/meta.h"

#include "api/read.h"

namespace godwit::api {

const OwnerReference* ObjectMeta::controller() const {
  for (const auto& owner : ownerReferences)
    if (owner.controller) return &owner;
  return nullptr;
}

static std::string lookUp(const StringMap& map, const std::string& key) {
  const auto it = map.find(key);
  return it == map.end() ? std::string() : it->second;
}

std::string ObjectMeta::annotation(const std::string& key) const {
  return lookUp(annotations, key);
}
std::string ObjectMeta::label(const std::string& key) const {
  return lookUp(labels, key);
}

static OwnerReference ownerFromJson(const Json& owner) {
  return {text(owner, "apiVersion"), text(owner, "kind"),        text(owner, "name"),
          text(owner, "uid"),        truth(owner, "controller"), truth(owner, "blockOwnerDeletion")};
}

ObjectMeta metaFromJson(const Json& object) {
  ObjectMeta meta;
  const Json* at = find(object, "metadata");
  if (!at) return meta;
  meta.name = text(*at, "name");
  meta.ns = text(*at, "namespace");
  meta.uid = text(*at, "uid");
  meta.resourceVersion = text(*at, "resourceVersion");
  meta.generateName = text(*at, "generateName");
  meta.generation = number(0, *at, "generation");
  meta.labels = stringMap(*at, "labels");
  meta.annotations = stringMap(*at, "annotations");
  meta.finalizers = stringList(*at, "finalizers");
  forEach(*at, "ownerReferences", [&](const Json& owner) { meta.ownerReferences.push_back(ownerFromJson(owner)); });
  meta.creationTimestamp = timeAt(*at, "creationTimestamp");
  meta.deletionTimestamp = timeAt(*at, "deletionTimestamp");
  return meta;
}

static Json toJson(const OwnerReference& owner) {
  Json json = {{"apiVersion", owner.apiVersion}, {"kind", owner.kind}, {"name", owner.name}, {"uid", owner.uid}};
  if (owner.controller) json["controller"] = true;
  if (owner.blockOwnerDeletion) json["blockOwnerDeletion"] = true;
  return json;
}

Json toJson(const ObjectMeta& meta) {
  Json json = Json::object();
  const auto put = [&json](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  put("name", meta.name);
  put("namespace", meta.ns);
  put("uid", meta.uid);
  put("resourceVersion", meta.resourceVersion);
  put("generateName", meta.generateName);
  if (meta.generation) json["generation"] = meta.generation;
  if (!meta.labels.empty()) json["labels"] = meta.labels;
  if (!meta.annotations.empty()) json["annotations"] = meta.annotations;
  if (!meta.finalizers.empty()) json["finalizers"] = meta.finalizers;
  for (const auto& owner : meta.ownerReferences) json["ownerReferences"].push_back(toJson(owner));
  if (meta.creationTimestamp) json["creationTimestamp"] = formatTime(*meta.creationTimestamp);
  if (meta.deletionTimestamp) json["deletionTimestamp"] = formatTime(*meta.deletionTimestamp);
  return json;
}

}  // namespace godwit::api
