#include "kube/in_cluster.h"

#include <cstdlib>

#include "base/fd.h"

namespace godwit::kube {

Result<ClusterAccess> inClusterAccess(const std::filesystem::path& dir) {
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  if (!host || !*host || !port || !*port) {
    return Error{Errc::NotFound, "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set"};
  }
  const std::string name = host;
  const auto literal = name.find(':') == std::string::npos ? name : "[" + name + "]";
  ClusterAccess access;
  GODWIT_ASSIGN(access.server, http::parseUrl("https://" + literal + ":" + port));
  GODWIT_ASSIGN(access.tls.caPem, readFile(dir / "ca.crt", 1 << 20));
  access.tokenFile = (dir / "token").string();
  if (auto ns = readFile(dir / "namespace", 1024)) access.ns = *ns;
  return access;
}

}  // namespace godwit::kube
