// The node: schedules pods onto this machine, starts their container through a Runner, reports what a kubelet would,
// and ends what is deleted. Containers die with this process, so a Running pod without one was lost.
#pragma once
#include <map>
#include <memory>
#include <set>

#include "kube/recorder.h"
#include "standalone/address.h"
#include "standalone/loop.h"
#include "standalone/pod_spec.h"
#include "standalone/runner.h"

namespace godwit::standalone {

struct NodeOptions {
  std::string name;                  // of the Node object, the host's name
  std::string hostAddress;           // this machine's primary address
  std::string stateDir;              // DIR/UID per pod: log, termination message; empty in the simulation
  std::int64_t logLimit = 10 << 20;  // bytes; an older part of the same size is kept as log.1
};

class Node final : public Controller {
 public:
  Node(Cluster& cluster, Runner& runner, Addresses& addresses, const Clock& clock, kube::Recorder& recorder,
       NodeOptions options);
  ~Node() override;  // kills every container
  // Creates or refreshes the Node object.
  Result<void> registerNode();

  bool step() override;
  std::optional<Duration> nextDelay() const override;
  void addFds(std::vector<int>& fds) const override;
  // TERM to every container, for an orderly end of the process. Pods that are broken off by it are deleted, as by a
  // drain, so that a restart does not count as a failure.
  void terminateAll();
  bool idle() const { return containers_.empty(); }

  // The last part of a pod's log: Store::setLogSource.
  Result<std::string> logs(const kube::NamespacedName& pod, const kube::LogOptions& options);

 private:
  struct Container {
    std::unique_ptr<RunningContainer> process;
    kube::NamespacedName pod;
    std::string stateDir;
    std::optional<ExitStatus> exit;
    std::optional<TimePoint> killAt;  // TERM was sent; KILL then
    bool killed = false;
  };
  Result<bool> advance(const Json& pod);
  Result<bool> schedule(const Json& pod);
  bool awaited(const Json& pod) const;
  Result<std::optional<std::string>> whyUnschedulable(const Json& pod);
  Result<bool> start(const Json& pod);
  Result<bool> launch(const Json& pod, ContainerSpec spec);
  Result<bool> wait(const Json& pod, const Waiting& waiting);
  Result<bool> reportEnd(const Json& pod, Container& container);
  Result<bool> end(const Json& pod, Container* container);
  bool reap();
  bool sweep();
  void rotateLogs();
  std::string stateDirOf(const std::string& uid) const;

  Cluster& cluster_;
  Runner& runner_;
  Addresses& addresses_;
  const Clock& clock_;
  kube::Recorder& recorder_;
  NodeOptions options_;
  Backoffs backoffs_;
  std::map<std::string, Container> containers_;  // by pod uid; one stays until the mirror shows that its pod has ended
  bool stopping_ = false;
};

}  // namespace godwit::standalone
