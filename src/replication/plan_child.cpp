// What every child has in common, and the small ones: service, account, secret.
#include "api/core.h"
#include "api/names.h"
#include "replication/plan.h"

namespace godwit::replication {

Json child(const api::Replication& object, const kube::ResourceType& type, const std::string& name) {
  const Json owner = {{"apiVersion", api::kApiVersion},         {"kind", api::kindOf(object.role)},
                      {"name", object.meta.name},               {"uid", object.meta.uid},
                      {"controller", true},                     {"blockOwnerDeletion", true}};
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

static api::StringMap serviceAnnotations(const api::Replication& object) {
  static const api::StringMap kDefault = {{"service.beta.kubernetes.io/aws-load-balancer-type", "nlb"}};
  return object.spec.rsync->serviceAnnotations.value_or(kDefault);
}

static std::int64_t servicePort(const api::Replication& object) { return object.spec.rsync->port.value_or(22); }

static Json ports(const api::Replication& object) {
  return Json::array({{{"name", "ssh"}, {"port", servicePort(object)}, {"protocol", "TCP"}, {"targetPort", 8022}}});
}

Json planService(const api::Replication& object) {
  Json out = child(object, kube::resources::kServices, api::serviceName(object.role, object.meta.name));
  out["metadata"]["annotations"] = serviceAnnotations(object);
  out["spec"] = {{"type", object.spec.rsync->serviceType.value_or("ClusterIP")},
                 {"ports", ports(object)},
                 {"selector",
                  {{"app.kubernetes.io/name", api::podNameLabel(object.role, object.meta.name)},
                   {kComponentLabel, kComponentValue},
                   {"app.kubernetes.io/part-of", "volsync"}}}};
  return out;
}

Json servicePatch(const api::Replication& object, const api::Service& service) {
  Json patch = Json::object();
  const auto type = object.spec.rsync->serviceType.value_or("ClusterIP");
  if (service.type != type) patch["spec"]["type"] = type;
  if (service.port != servicePort(object)) patch["spec"]["ports"] = ports(object);
  for (const auto& [key, value] : serviceAnnotations(object)) {
    if (service.meta.annotation(key) != value || !service.meta.annotations.contains(key)) {
      patch["metadata"]["annotations"][key] = value;
    }
  }
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
