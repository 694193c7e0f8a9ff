// The host's TCP ports: which can be listened on, and who holds one.
#pragma once
#include <string>

#include "base/result.h"

namespace godwit::standalone {

class Ports {
 public:
  enum class State { Free, Held, NotPermitted };
  virtual ~Ports() = default;
  // `anywhere`: on all addresses, else on 127.0.0.1.
  virtual State look(int port, bool anywhere) = 0;
  virtual std::string holder(int port) = 0;  // "sshd (pid 812)", or "another process" when that cannot be seen
};

class HostPorts final : public Ports {
 public:
  State look(int port, bool anywhere) override;
  std::string holder(int port) override;
};

// The IPv4 address other machines reach this one at: of the interface with the default route, else of the first that is
// up, else 127.0.0.1.
std::string primaryAddress();

}  // namespace godwit::standalone
