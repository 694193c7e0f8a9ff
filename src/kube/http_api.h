// kube::Api over HTTP: any Kubernetes API server, Godwit's standalone one included.
#pragma once
#include <mutex>

#include "base/clock.h"
#include "kube/api.h"
#include "kube/kubeconfig.h"

namespace godwit::kube {

class HttpApi final : public Api {
 public:
  // Connects to nobody yet. `clock` times the renewal of token files and how long a watch may be silent; it
  // outlives the watches.
  static Result<std::unique_ptr<HttpApi>> make(ClusterAccess access, const Clock& clock);

  Result<Json> get(const ResourceType& type, const NamespacedName& key) override;
  Result<List> list(const ResourceType& type, const ListOptions& options) override;
  Result<std::unique_ptr<Watch>> watch(const ResourceType& type, const WatchOptions& options) override;
  Result<Json> create(const ResourceType& type, const Json& object) override;
  Result<Json> patch(const ResourceType& type, const NamespacedName& key, const Json& mergePatch,
                     Subresource subresource = Subresource::None) override;
  Result<void> remove(const ResourceType& type, const NamespacedName& key, const DeleteOptions& options) override;
  Result<std::string> logs(const NamespacedName& pod, const LogOptions& options) override;

 private:
  HttpApi(ClusterAccess access, std::unique_ptr<http::Client> client, const Clock& clock);
  http::Call call(const char* method, std::string target);
  Result<http::Answer> answer(const http::Call& call);  // 2xx, or the Status the server sent as an Error
  Result<Json> object(const http::Call& call, const ResourceType& type);
  std::string bearer();

  const ClusterAccess access_;
  const std::unique_ptr<http::Client> client_;
  const Clock& clock_;
  std::mutex tokenMutex_;
  std::string token_;
  std::optional<Duration> tokenRead_;  // monotonic
};

// What a status that is not 2xx means. `body` is a metav1.Status or anything else. Exposed for its tests.
Error statusError(int httpStatus, std::string_view body);

}  // namespace godwit::kube
