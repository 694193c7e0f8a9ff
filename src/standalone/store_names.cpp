#include <fmt/core.h>

#include "api/dns_names.h"
#include "standalone/store_rules.h"

namespace godwit::standalone {

using api::isDnsLabel, api::isDnsSubdomain, api::isLabelValue, api::isPathSegment, api::isQualifiedName,
    api::isServiceName;

static Result<void> checkName(const kube::ResourceType& type, const Json& object) {
  const auto name = text(object, "metadata", "name"), ns = text(object, "metadata", "namespace");
  if (name.empty()) return invalid(type, "", "metadata.name: Required value: name or generateName is required");
  const auto refuse = [&](std::string_view rule) {
    return invalid(type, name, fmt::format("metadata.name: Invalid value: \"{}\": {}", name, rule));
  };
  if (type.kind == "Namespace") {
    if (!isDnsLabel(name))
      return refuse("must be a lowercase RFC 1123 label: letters a-z, digits and '-', at most 63 characters");
  } else if (type.kind == "Service") {
    if (!isServiceName(name))
      return refuse(
          "must be a DNS-1035 label: letters a-z, digits and '-', beginning with a letter, at most 63 characters");
  } else if (type.group == "rbac.authorization.k8s.io") {
    if (!isPathSegment(name)) return refuse("must not contain '/' or '%'");
  } else if (!isDnsSubdomain(name)) {
    return refuse("must be a lowercase RFC 1123 subdomain: letters a-z, digits, '-' and '.', at most 253 characters");
  }
  if (type.namespaced && ns.empty()) return invalid(type, name, "metadata.namespace: Required value");
  return {};
}

static Result<void> checkStringMap(const kube::ResourceType& type, const Json& object, const char* which, bool values) {
  constexpr std::size_t kAnnotationLimit = 256 << 10;
  const Json* map = find(object, "metadata", which);
  if (!map || map->is_null()) return {};
  const auto name = text(object, "metadata", "name");
  if (!map->is_object()) return invalid(type, name, fmt::format("metadata.{}: must be a map of strings", which));
  std::size_t total = 0;
  for (const auto& [key, value] : map->items()) {
    if (!isQualifiedName(key))
      return invalid(type, name,
                     fmt::format("metadata.{}: Invalid value: \"{}\": must be [prefix/]name of at most 63 characters",
                                 which, key));
    if (!value.is_string()) return invalid(type, name, fmt::format("metadata.{}.{}: must be a string", which, key));
    const auto& s = value.get_ref<const std::string&>();
    if (values && !isLabelValue(s))
      return invalid(type, name,
                     fmt::format("metadata.{}: Invalid value: \"{}\": a label value is at most 63 letters, digits, "
                                 "'-', '_' and '.', with a letter or digit at both ends",
                                 which, s));
    total += key.size() + s.size();
  }
  if (total > kAnnotationLimit)
    return invalid(type, name,
                   fmt::format("metadata.{}: Too long: may not be more than {} bytes", which, kAnnotationLimit));
  return {};
}

static Result<void> checkOwners(const kube::ResourceType& type, const Json& object) {
  const auto name = text(object, "metadata", "name");
  const auto refuse = [&](std::string_view why) {
    return invalid(type, name, fmt::format("metadata.ownerReferences: Invalid value: {}", why));
  };
  const Json* owners = find(object, "metadata", "ownerReferences");
  if (!owners || owners->is_null()) return {};
  if (!owners->is_array()) return refuse("must be a list");
  int controllers = 0;
  for (const auto& owner : *owners) {
    for (const char* key : {"apiVersion", "kind", "name", "uid"}) {
      if (text(owner, key).empty()) return refuse(fmt::format("{} must not be empty", key));
    }
    controllers += truth(owner, "controller");
  }
  if (controllers > 1) return refuse("only one reference can have controller set to true");
  return {};
}

static Result<void> checkFinalizerNames(const kube::ResourceType& type, const Json& object) {
  const Json* list = find(object, "metadata", "finalizers");
  if (!list || list->is_null()) return {};
  const auto name = text(object, "metadata", "name");
  if (!list->is_array()) return invalid(type, name, "metadata.finalizers: must be a list");
  for (const auto& finalizer : *list) {
    if (!finalizer.is_string() || !isQualifiedName(finalizer.get_ref<const std::string&>())) {
      return invalid(type, name, "metadata.finalizers: Invalid value: name must be [prefix/]name");
    }
  }
  return {};
}

Result<void> checkMetadata(const kube::ResourceType& type, const Json& object) {
  GODWIT_TRY(checkName(type, object));
  GODWIT_TRY(checkStringMap(type, object, "labels", true));
  GODWIT_TRY(checkStringMap(type, object, "annotations", false));
  GODWIT_TRY(checkFinalizerNames(type, object));
  return checkOwners(type, object);
}

}  // namespace godwit::standalone
