// Addresses: Services get cluster IPs, node ports and ingress addresses, and each Service that selects movers a port of
// this host. Movers share the host's network: what they listen on and connect to is translated here.
#pragma once
#include <set>

#include "standalone/loop.h"
#include "standalone/ports.h"
#include "standalone/runner.h"

namespace godwit::standalone {

class Addresses final : public Controller {
 public:
  Addresses(Cluster& cluster, Ports& ports, const Clock& clock, std::string hostAddress)
      : cluster_(cluster), ports_(ports), hostAddress_(std::move(hostAddress)), backoffs_(clock) {}

  bool step() override;
  std::optional<Duration> nextDelay() const override { return backoffs_.nextDelay(); }

  // For a pod about to start: GODWIT_LISTEN when a Service selects it (its port is verified, or replaced when somebody
  // else holds it by now), and DESTINATION_ADDRESS and _PORT rewritten when they mean a Service of this cluster.
  // An error names the port and who holds it.
  Result<void> prepare(const Json& pod, ContainerSpec& spec);

 private:
  struct Choice {
    int port = 0;
    std::string message;  // why not the port asked for; empty when it is
  };
  Result<bool> reconcile(const Json& service);
  Result<Choice> choosePort(const Json& service);
  Result<Choice> freePort(const Json& service, int preferred);
  std::set<int> takenPorts(const Json& except) const;
  std::string freeClusterIp(const Json& service) const;
  Json portsWithNodePort(const Json& service) const;
  Object serviceFor(const std::string& address, int port, const std::string& ns) const;
  void translate(const Json& pod, ContainerSpec& spec) const;

  Cluster& cluster_;
  Ports& ports_;
  std::string hostAddress_;
  Backoffs backoffs_;
};

}  // namespace godwit::standalone
