// A real `godwit operator` as a child, and what it says of itself.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process.h"
#include "http/client.h"

namespace godwit::apiserver {

class OperatorProcess {
 public:
  // Runs and listens when it returns; its log goes to the file. Endpoints are plain, on free ports of the loopback,
  // unless `arguments` say otherwise. `wrapper` is a command that runs the command which follows it.
  static Result<std::unique_ptr<OperatorProcess>> start(const std::string& kubeconfig, const std::string& log,
                                                        std::vector<std::string> arguments = {},
                                                        std::vector<std::string> wrapper = {});
  ~OperatorProcess();  // SIGKILL where it still runs

  pid_t pid() const { return process_.pid(); }
  Result<int> stop();  // SIGTERM; its exit code
  void kill();         // SIGKILL, and waits
  std::string log() const;

  Result<http::Answer> probe(const std::string& path) const;
  // GET /metrics, plain or over TLS, with this token where it is not empty.
  Result<http::Answer> scrape(bool tls = false, const std::string& token = {}) const;
  // Requests to the API server so far by "verb resource", events, watches and leases not counted.
  Result<std::map<std::string, std::int64_t>> requests() const;
  Duration cpuTime() const;
  std::int64_t residentKiB() const;

 private:
  explicit OperatorProcess(Process process) : process_(std::move(process)) {}
  Process process_;
  std::string log_;
  std::uint16_t probes_ = 0, metrics_ = 0;
};

std::int64_t total(const std::map<std::string, std::int64_t>& requests);
// What came on top of `before`.
std::map<std::string, std::int64_t> since(const std::map<std::string, std::int64_t>& before,
                                          const std::map<std::string, std::int64_t>& after);

}  // namespace godwit::apiserver
