// kube::Api over HTTP: any Kubernetes API server, Godwit's standalone one included. metadata.managedFields is left out
// of what it returns: half of an object's text, and of no use here.
#pragma once
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "kube/api.h"
#include "kube/kubeconfig.h"
#include "kube/token_bucket.h"

namespace godwit::kube {

// When the server was last not there. Clients of one server share it: one that asks seldom may miss a short outage.
class Outages {
 public:
  void seen(Duration monotonic) {
    std::lock_guard lock(mutex_);
    last_ = monotonic;
  }
  bool within(Duration span, Duration monotonic) const {
    std::lock_guard lock(mutex_);
    return last_ && monotonic - *last_ <= span;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Duration> last_;
};

struct HttpApiOptions {
  double requestsPerSecond = 0;  // of this client, watches not counted; 0: no limit
  int burst = 1;
  Duration timeout = std::chrono::seconds(30);  // of one call
  int pauses = 3;  // at most so often a call waits for a server that is too busy, and asks again
  std::shared_ptr<Outages> outages = std::make_shared<Outages>();
};

class HttpApi final : public Api {
 public:
  // Connects to nobody yet. `clock` times the renewal of token files, the rate limit, the memory of outages and how
  // long a watch may be silent; it outlives the watches.
  static Result<std::unique_ptr<HttpApi>> make(ClusterAccess access, const Clock& clock, HttpApiOptions options = {});

  Result<Json> get(const ResourceType& type, const NamespacedName& key) override;
  Result<List> list(const ResourceType& type, const ListOptions& options) override;
  Result<std::unique_ptr<Watch>> watch(const ResourceType& type, const WatchOptions& options) override;
  Result<Json> create(const ResourceType& type, const Json& object) override;
  Result<Json> patch(const ResourceType& type, const NamespacedName& key, const Json& mergePatch,
                     Subresource subresource = Subresource::None) override;
  Result<void> remove(const ResourceType& type, const NamespacedName& key, const DeleteOptions& options) override;
  Result<std::string> logs(const NamespacedName& pod, const LogOptions& options) override;

  // Whether the server knows the API group. Everybody may ask.
  Result<bool> serves(std::string_view group);

  // What was asked so far, watches not counted, by verb, resource and HTTP status (0: no answer).
  struct Count {
    std::string verb, resource;
    int status;
    auto operator<=>(const Count&) const = default;
  };
  std::map<Count, std::uint64_t> counts() const;

  // Wakes every call that waits for its turn or for a busy server: it ends as Cancelled, and so does every later one
  // that would have to wait. Open watches have their own cancel().
  void shutDown();

 private:
  HttpApi(ClusterAccess access, std::unique_ptr<http::Client> client, const Clock& clock, HttpApiOptions options);
  struct Asked : http::Call {
    std::string verb, resource;  // as RBAC has them: "list", "pods/log"
  };
  Asked call(const char* method, const char* verb, std::string resource, std::string target);
  Result<http::Answer> answer(const Asked& call);  // 2xx, or the Status the server sent as an Error
  void count(const Asked& call, int status);
  Result<void> pause(Duration time);
  // A server that comes back answers 401 and 403 until it has read who may do what: for a while that means "not yet".
  Error judge(Error error);
  Error notConnected(Error error);
  Result<Json> object(const Asked& call, const ResourceType& type);
  std::string bearer();

  const ClusterAccess access_;
  const std::unique_ptr<http::Client> client_;
  const Clock& clock_;
  const HttpApiOptions options_;
  TokenBucket bucket_;
  mutable std::mutex mutex_;  // of what follows
  std::map<Count, std::uint64_t> counts_;
  std::condition_variable woken_;
  bool shutDown_ = false;
  std::mutex tokenMutex_;
  std::string token_;
  std::optional<Duration> tokenRead_;  // monotonic
};

// What a status that is not 2xx means. `body` is a metav1.Status or anything else. Exposed for its tests.
Error statusError(int httpStatus, std::string_view body);

}  // namespace godwit::kube
