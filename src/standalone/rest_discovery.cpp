#include "standalone/rest_discovery.h"

#include <fmt/core.h>

#include <algorithm>

namespace godwit::standalone {

namespace resources = kube::resources;

std::vector<std::string> shortNames(const kube::ResourceType& type) {
  static const std::map<std::string_view, std::vector<std::string>> kNames = {
      {"namespaces", {"ns"}},
      {"configmaps", {"cm"}},
      {"serviceaccounts", {"sa"}},
      {"persistentvolumeclaims", {"pvc"}},
      {"persistentvolumes", {"pv"}},
      {"services", {"svc"}},
      {"events", {"ev"}},
      {"pods", {"po"}},
      {"nodes", {"no"}},
      {"storageclasses", {"sc"}},
      {"volumesnapshots", {"vs"}},
      {"volumesnapshotclasses", {"vsclass", "vsclasses"}},
      {"volumesnapshotcontents", {"vsc", "vscs"}},
      {"customresourcedefinitions", {"crd", "crds"}}};
  const auto it = kNames.find(type.plural);
  return it == kNames.end() ? std::vector<std::string>() : it->second;
}

std::vector<std::string> verbsOf(const kube::ResourceType&) {
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

std::vector<std::string> groupVersions() {
  std::vector<std::string> out;
  for (const auto* type : resources::all()) {
    const auto gv = type->apiVersion();
    if (std::find(out.begin(), out.end(), gv) == out.end()) out.push_back(gv);
  }
  return out;
}

namespace {

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

Json resourceEntry(const kube::ResourceType& type) {
  Json out{{"name", type.plural},
           {"singularName", lower(type.kind)},
           {"namespaced", type.namespaced},
           {"kind", type.kind},
           {"verbs", verbsOf(type)}};
  if (const auto names = shortNames(type); !names.empty()) out["shortNames"] = names;
  // What `kubectl get all` means, here as everywhere.
  for (const std::string_view common : {"pods", "services", "jobs"}) {
    if (type.plural == common) out["categories"] = {"all"};
  }
  return out;
}

Json subresourceEntry(const kube::ResourceType& type, std::string_view name, std::vector<std::string> verbs) {
  return {{"name", fmt::format("{}/{}", type.plural, name)},
          {"singularName", ""},
          {"namespaced", type.namespaced},
          {"kind", type.kind},
          {"verbs", std::move(verbs)}};
}

// Kinds that are only asked, never kept.
Json reviewEntry(std::string_view plural, std::string_view kind) {
  return {
      {"name", plural}, {"singularName", lower(kind)}, {"namespaced", false}, {"kind", kind}, {"verbs", {"create"}}};
}

constexpr std::string_view kAuthorization = "authorization.k8s.io/v1", kAuthentication = "authentication.k8s.io/v1";

Json resourceList(std::string_view groupVersion) {
  Json list = Json::array();
  for (const auto* type : resources::all()) {
    if (type->apiVersion() != groupVersion) continue;
    list.push_back(resourceEntry(*type));
    if (type->status) list.push_back(subresourceEntry(*type, "status", {"get", "patch", "update"}));
    if (type->kind == "Pod") list.push_back(subresourceEntry(*type, "log", {"get"}));
  }
  if (groupVersion == kAuthorization) {
    list.push_back(reviewEntry("selfsubjectaccessreviews", "SelfSubjectAccessReview"));
    list.push_back(reviewEntry("selfsubjectrulesreviews", "SelfSubjectRulesReview"));
  }
  if (groupVersion == kAuthentication) list.push_back(reviewEntry("selfsubjectreviews", "SelfSubjectReview"));
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion", groupVersion},
          {"resources", std::move(list)}};
}

Json groupEntry(std::string_view groupVersion) {
  const auto slash = groupVersion.find('/');
  const Json version{{"groupVersion", groupVersion}, {"version", groupVersion.substr(slash + 1)}};
  return {{"name", groupVersion.substr(0, slash)}, {"versions", {version}}, {"preferredVersion", version}};
}

std::vector<std::string> namedGroups() {
  auto out = groupVersions();
  std::erase_if(out, [](const std::string& gv) { return gv.find('/') == gv.npos; });
  out.emplace_back(kAuthorization);
  out.emplace_back(kAuthentication);
  return out;
}

Json groupList() {
  Json groups = Json::array();
  for (const auto& gv : namedGroups()) groups.push_back(groupEntry(gv));
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

// The Kubernetes whose behaviour is followed; clients compare it with their own.
Json version() {
  return {{"major", "1"},    {"minor", "29"},           {"gitVersion", "v1.29.0+godwit." GODWIT_VERSION},
          {"gitCommit", ""}, {"gitTreeState", "clean"}, {"buildDate", "1970-01-01T00:00:00Z"},
          {"goVersion", ""}, {"compiler", "g++"},       {"platform", "linux"}};
}

std::optional<Json> document(std::string_view path) {
  if (path == "/version") return version();
  if (path == "/api")
    return Json{{"kind", "APIVersions"}, {"versions", {"v1"}}, {"serverAddressByClientCIDRs", Json::array()}};
  if (path == "/api/v1") return resourceList("v1");
  if (path == "/apis") return groupList();
  for (const auto& gv : namedGroups()) {
    if (path == "/apis/" + gv) return resourceList(gv);
    if (path == "/apis/" + gv.substr(0, gv.find('/'))) {
      Json group = groupEntry(gv);
      group["kind"] = "APIGroup";
      group["apiVersion"] = "v1";
      return group;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<RestReply> discover(const http::Request& request) {
  std::string_view path = request.path;
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path == "/healthz" || path == "/livez" || path == "/readyz") return RestReply{200, "ok", "text/plain", {}};
  if (path == "/") {
    return jsonReply({{"paths", {"/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"}}});
  }
  if (auto body = document(path)) return jsonReply(*body);
  return std::nullopt;
}

}  // namespace godwit::standalone
