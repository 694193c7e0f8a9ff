#include "kube/kubeconfig.h"

#include <fmt/core.h>

#include "api/core.h"
#include "api/yaml.h"
#include "base/fd.h"

namespace godwit::kube {

namespace {

Error invalid(std::string message) {
  return {Errc::Invalid, "kubeconfig: " + std::move(message)};
}

// kubeconfig lists are [{name: N, KIND: {...}}].
Result<const Json*> named(const Json& config, const char* list, const char* kind, const std::string& name) {
  const Json* entries = find(config, list);
  if (entries && entries->is_array()) {
    for (const auto& entry : *entries) {
      const Json* value = find(entry, kind);
      if (text(entry, "name") == name && value && value->is_object()) return value;
    }
  }
  return invalid(fmt::format("{}: no entry named \"{}\"", list, name));
}

std::string beside(const std::filesystem::path& dir, const std::string& file) {
  return file.empty() || file.starts_with('/') ? file : (dir / file).string();
}

// KEY-data in base64, or the content of the file that KEY names; data wins as with kubectl.
Result<std::string> pem(const Json& entry, const std::string& key, const std::filesystem::path& dir) {
  if (const auto data = text(entry, key + "-data"); !data.empty()) {
    auto decoded = api::base64Decode(data);
    if (!decoded) return invalid(fmt::format("{}-data: {}", key, decoded.error().message));
    return decoded;
  }
  const auto file = beside(dir, text(entry, key));
  if (file.empty()) return std::string();
  auto content = readFile(file, 1 << 20);
  if (!content) return invalid(fmt::format("{}: {}", key, content.error().message));
  return content;
}

Result<void> readCluster(const Json& cluster, const std::filesystem::path& dir, ClusterAccess& access) {
  auto server = http::parseUrl(text(cluster, "server"));
  if (!server) return invalid("server: " + server.error().message);
  access.server = *server;
  access.tls.insecure = truth(cluster, "insecure-skip-tls-verify");
  access.tls.serverName = text(cluster, "tls-server-name");
  if (find(cluster, "proxy-url"))
    return Error{Errc::Unsupported, "kubeconfig: proxy-url is not supported; reach the server directly"};
  GODWIT_ASSIGN(access.tls.caPem, pem(cluster, "certificate-authority", dir));
  return {};
}

Result<void> readUser(const Json& user, const std::filesystem::path& dir, ClusterAccess& access) {
  for (const char* plugin : {"exec", "auth-provider"}) {
    if (find(user, plugin)) {
      return Error{Errc::Unsupported,
                   fmt::format("kubeconfig: users: \"{}\" plugins are not supported; use a token, a tokenFile or a "
                               "client certificate (kubectl create token makes one)",
                               plugin)};
    }
  }
  if (find(user, "username"))
    return Error{Errc::Unsupported,
                 "kubeconfig: users: passwords are not supported; use a token or a client certificate"};
  access.token = text(user, "token");
  access.tokenFile = beside(dir, text(user, "tokenFile"));
  GODWIT_ASSIGN(access.tls.certPem, pem(user, "client-certificate", dir));
  GODWIT_ASSIGN(access.tls.keyPem, pem(user, "client-key", dir));
  if (access.tls.certPem.empty() != access.tls.keyPem.empty()) {
    return invalid("users: client-certificate and client-key belong together; one is missing");
  }
  return {};
}

}  // namespace

Result<ClusterAccess> parseKubeconfig(std::string_view content, const std::string& context,
                                      const std::filesystem::path& dir) {
  auto documents = api::parseYaml(content);
  if (!documents) return invalid(documents.error().message);
  if (documents->size() != 1 || !documents->front().is_object()) return invalid("not one YAML mapping");
  const Json& config = documents->front();
  const auto wanted = context.empty() ? text(config, "current-context") : context;
  if (wanted.empty()) return invalid("no current-context; name one with --context");
  GODWIT_ASSIGN(const Json* chosen, named(config, "contexts", "context", wanted));
  GODWIT_ASSIGN(const Json* cluster, named(config, "clusters", "cluster", text(*chosen, "cluster")));
  ClusterAccess access;
  access.ns = text(*chosen, "namespace");
  GODWIT_TRY(readCluster(*cluster, dir, access));
  if (const auto user = text(*chosen, "user"); !user.empty()) {
    GODWIT_ASSIGN(const Json* entry, named(config, "users", "user", user));
    GODWIT_TRY(readUser(*entry, dir, access));
  }
  return access;
}

Result<ClusterAccess> loadKubeconfig(const std::filesystem::path& file, const std::string& context) {
  GODWIT_ASSIGN(const auto content, readFile(file, 4 << 20));
  auto access = parseKubeconfig(content, context, file.parent_path());
  if (!access) access.error().message = file.string() + ": " + access.error().message;
  return access;
}

}  // namespace godwit::kube
