// etcd and kube-apiserver on free ports of the loopback, started by tests/cluster/apiserver.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/http_api.h"

namespace godwit::apiserver {

class ApiServer {
 public:
  // Why it cannot be started here: a program that is missing. Empty: it can.
  static std::string missing();
  // Serves when it returns, with Godwit's CRDs established. `controllers`: kube-controller-manager as well.
  static Result<std::unique_ptr<ApiServer>> start(bool controllers = false);
  ~ApiServer();

  kube::HttpApi& api() { return *api_; }  // as an administrator, without limits
  std::string kubeconfig() const { return directory_ + "/kubeconfig"; }
  std::string directory() const { return directory_; }  // gone with the server

  // Godwit's CRDs, or VolumeSnapshot's; returns when the kind can be listed.
  Result<void> installReplications();
  Result<void> installSnapshots();
  // Somebody else's kind, with one version, until removeKind().
  Result<void> installKind(const kube::ResourceType& type, const Json& schema);
  Result<void> removeKind(const kube::ResourceType& type);
  // The path of a kubeconfig of a service account.
  Result<std::string> account(const std::string& ns, const std::string& name);
  // What deploy/kustomize/base holds, CRDs and rights among it. Returns the path of a kubeconfig of its account.
  Result<std::string> installRelease();

  Result<void> kill();     // SIGKILL: the API server only, its data stays
  Result<void> restart();  // after kill(); serves again when it returns
  // User and system time of API server and etcd so far.
  Duration cpuTime() const;

 private:
  explicit ApiServer(std::string directory) : directory_(std::move(directory)) {}
  Result<std::string> script(const std::vector<std::string>& arguments) const;
  Result<void> connect();
  Result<void> install(const std::string& manifest, const kube::ResourceType& type);

  const std::string directory_;
  SystemClock clock_;
  std::unique_ptr<kube::HttpApi> api_;
};

// User and system time of a process so far; zero when it is gone.
Duration cpuTimeOf(pid_t pid);

}  // namespace godwit::apiserver
