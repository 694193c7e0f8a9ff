// What every child has in common, and the small ones: service, account, secret.
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "api/core.h"
#include "api/names.h"
#include "replication/plan.h"

namespace godwit::replication {

Json child(const api::Replication& object, const kube::ResourceType& type, const std::string& name) {
  const Json owner = {{"apiVersion", api::kApiVersion},
                      {"kind", api::kindOf(object.role)},
                      {"name", object.meta.name},
                      {"uid", object.meta.uid},
                      {"controller", true},
                      {"blockOwnerDeletion", true}};
  return {{"apiVersion", type.apiVersion()},
          {"kind", std::string(type.kind)},
          {"metadata",
           {{"name", name},
            {"namespace", object.meta.ns},
            {"labels", {{api::kCreatedByLabel, api::kCreatedByValue}}},
            {"ownerReferences", Json::array({owner})}}}};
}

Json childOfIteration(const api::Replication& object, const kube::ResourceType& type, const std::string& name) {
  Json out = child(object, type, name);
  out["metadata"]["labels"][api::kCleanupLabel] = object.meta.uid;
  return out;
}

static api::StringMap wantedAnnotations(const api::Replication& object) {
  static const api::StringMap kDefault = {{"service.beta.kubernetes.io/aws-load-balancer-type", "nlb"}};
  return object.spec.rsync->serviceAnnotations.value_or(kDefault);
}

constexpr int kMoverPort = 8022;

static std::int64_t servicePort(const api::Replication& object) {
  return object.spec.rsync->port.value_or(22);
}

static Json ports(const api::Replication& object) {
  return Json::array(
      {{{"name", "ssh"}, {"port", servicePort(object)}, {"protocol", "TCP"}, {"targetPort", kMoverPort}}});
}

// Merge patch from one map to the other; empty: they are equal.
static Json difference(const api::StringMap& from, const api::StringMap& to) {
  Json patch = Json::object();
  for (const auto& [key, value] : from) {
    if (!to.contains(key)) patch[key] = nullptr;
  }
  for (const auto& [key, value] : to) {
    const auto it = from.find(key);
    if (it == from.end() || it->second != value) patch[key] = value;
  }
  return patch;
}

static std::string joined(const std::set<std::string>& keys) {
  return fmt::format("{}", fmt::join(keys, ","));
}

static std::set<std::string> keysPut(const api::Service& service) {
  std::set<std::string> out;
  std::istringstream list(service.meta.annotation(kServiceAnnotationsAnnotation));
  for (std::string key; std::getline(list, key, ',');) out.insert(key);
  return out;
}

// What the spec names is set, what Godwit had set and the spec no longer names goes; nobody else's is touched.
static Json annotationsPatch(const api::Replication& object, const api::Service& service) {
  Json patch = Json::object();
  const auto wanted = wantedAnnotations(object);
  const auto& present = service.meta.annotations;
  auto put = keysPut(service);
  for (const auto& key : put) {
    if (!wanted.contains(key) && present.contains(key)) patch[key] = nullptr;
  }
  std::erase_if(put, [&](const auto& key) { return !wanted.contains(key); });
  for (const auto& [key, value] : wanted) {
    if (const auto it = present.find(key); it != present.end() && it->second == value) continue;
    patch[key] = value;
    put.insert(key);
  }
  const auto mark = joined(put);
  if (mark != service.meta.annotation(kServiceAnnotationsAnnotation)) {
    patch[kServiceAnnotationsAnnotation] = mark.empty() ? Json() : Json(mark);
  }
  return patch;
}

static api::StringMap selector(const api::Replication& object) {
  return {{"app.kubernetes.io/name", api::podNameLabel(object.role, object.meta.name)},
          {kComponentLabel, kComponentValue},
          {"app.kubernetes.io/part-of", "volsync"}};
}

Json planService(const api::Replication& object) {
  Json out = child(object, kube::resources::kServices, api::serviceName(object.role, object.meta.name));
  auto annotations = wantedAnnotations(object);
  std::set<std::string> keys;
  for (const auto& [key, value] : annotations) keys.insert(key);
  if (!keys.empty()) annotations[kServiceAnnotationsAnnotation] = joined(keys);
  out["metadata"]["annotations"] = annotations;
  out["spec"] = {{"type", object.spec.rsync->serviceType.value_or("ClusterIP")},
                 {"ports", ports(object)},
                 {"selector", selector(object)}};
  return out;
}

Json servicePatch(const api::Replication& object, const api::Service& service) {
  Json patch = Json::object();
  const auto type = object.spec.rsync->serviceType.value_or("ClusterIP");
  if (service.type != type) patch["spec"]["type"] = type;
  const bool leadsToUs = service.port == servicePort(object) && service.targetPort == std::to_string(kMoverPort);
  if (!leadsToUs) patch["spec"]["ports"] = ports(object);
  if (Json pods = difference(service.selector, selector(object)); !pods.empty())
    patch["spec"]["selector"] = std::move(pods);
  if (Json change = annotationsPatch(object, service); !change.empty())
    patch["metadata"]["annotations"] = std::move(change);
  return patch;
}

Json planAccount(const api::Replication& object) {
  return child(object, kube::resources::kServiceAccounts, api::accountName(object.role, object.meta.name));
}

Json planSecret(const api::Replication& object, const std::string& name, const api::StringMap& data) {
  Json out = child(object, kube::resources::kSecrets, name);
  out["type"] = "Opaque";
  for (const auto& [field, value] : data) out["data"][field] = api::base64Encode(value);
  return out;
}

}  // namespace godwit::replication
