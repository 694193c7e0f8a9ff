// How to reach an API server and who to be there: from a kubeconfig or from a pod's service account.
#pragma once
#include <filesystem>
#include <string>

#include "base/result.h"
#include "http/client.h"

namespace godwit::kube {

struct ClusterAccess {
  http::Url server;
  http::ClientTls tls;
  std::string token;      // bearer token, or empty
  std::string tokenFile;  // where a token that is renewed lies; wins over `token`
  std::string ns;         // the context's namespace; empty when it names none
};

// From kubeconfig text. `context` empty: current-context. Files named by relative paths lie beside `dir`. Invalid names
// the entry that is missing or wrong; Unsupported: exec and auth-provider plugins.
Result<ClusterAccess> parseKubeconfig(std::string_view text, const std::string& context,
                                      const std::filesystem::path& dir);
Result<ClusterAccess> loadKubeconfig(const std::filesystem::path& file, const std::string& context);

}  // namespace godwit::kube
