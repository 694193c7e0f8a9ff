// This machine as a cluster's node and storage: pool, sandbox, addresses and the controllers over one data directory.
#pragma once
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"
#include "standalone/pool.h"

namespace godwit::standalone {

struct MachineOptions {
  std::string dataDir;  // pool, pods/UID, images/NAMESPACE/NAME/latest
  PoolOptions pool;
};

class Machine {
 public:
  // Opens the pool, probes the sandbox, seeds the classes and registers the node. Nothing runs yet.
  static Result<std::unique_ptr<Machine>> open(kube::Api& api, const Clock& clock, Random& random,
                                               const MachineOptions& options);
  ~Machine();

  // Works until `stop`, on the calling thread, which must not end before this returns; then tells the containers to
  // end and waits up to ten seconds for them. The pool stays mounted for the next life: closePool() is the caller's.
  void run(std::stop_token stop);
  // For Store::setLogSource; any thread.
  Result<std::string> logs(const kube::NamespacedName& pod, const kube::LogOptions& options);

  const std::string& poolDescription() const;
  const std::string& hostAddress() const;

 private:
  struct Impl;
  explicit Machine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::standalone
