// OpenShift's permissions: a pod that runs as root needs SecurityContextConstraints that its account may use.
#include "api/names.h"
#include "replication/plan.h"

namespace godwit::replication {

static Json rules(const std::string& constraints) {
  return Json::array({{{"apiGroups", {"security.openshift.io"}},
                       {"resources", {"securitycontextconstraints"}},
                       {"resourceNames", {constraints}},
                       {"verbs", {"use"}}}});
}

Json planRole(const api::Replication& object, const std::string& constraints) {
  Json out = child(object, kube::resources::kRoles, api::accountName(object.role, object.meta.name));
  out["rules"] = rules(constraints);
  return out;
}

Json rolePatch(const RoleCard& role, const std::string& constraints) {
  const Json wanted = rules(constraints);
  return role.rules == wanted ? Json::object() : Json{{"rules", wanted}};
}

Json planRoleBinding(const api::Replication& object) {
  const auto name = api::accountName(object.role, object.meta.name);
  Json out = child(object, kube::resources::kRoleBindings, name);
  out["roleRef"] = {{"apiGroup", kube::resources::kRoles.group}, {"kind", "Role"}, {"name", name}};
  out["subjects"] = Json::array({{{"kind", "ServiceAccount"}, {"name", name}, {"namespace", object.meta.ns}}});
  return out;
}

}  // namespace godwit::replication
