// What the operator says of itself over HTTP: /healthz and /readyz for the kubelet, /metrics for Prometheus.
#pragma once
#include <functional>
#include <memory>

#include "cli/bind_address.h"
#include "http/server.h"
#include "kube/delegated_auth.h"

namespace godwit::cli {

struct EndpointOptions {
  std::optional<BindAddress> probes, metrics;  // absent: not served
  bool metricsSecure = true;                   // TLS, and only who the API server lets `get` the path /metrics
  std::string certificateDir;                  // tls.crt and tls.key, read again when they change; empty: self-signed
};

class OperatorEndpoints {
 public:
  struct Readiness {
    bool ready = true;
    std::string trouble;  // why not, or what is wrong all the same; empty: nothing
  };
  struct Sources {
    std::function<Readiness()> readiness;
    std::function<std::string()> metrics;  // Prometheus text
  };
  // Serves when it returns. `api` answers who may read metrics.
  static Result<std::unique_ptr<OperatorEndpoints>> start(const EndpointOptions& options, Sources sources,
                                                          kube::Api& api, const Clock& clock);
  std::uint16_t probePort() const { return probes_ ? probes_->port() : 0; }
  std::uint16_t metricsPort() const { return metrics_ ? metrics_->port() : 0; }
  // Puts a certificate that was renewed, or is about to expire, into use. Cheap; to be called every minute or so.
  void renew();

 private:
  OperatorEndpoints(const EndpointOptions& options, Sources sources, kube::Api& api, const Clock& clock);
  Result<http::Identity> identity() const;
  void probe(const http::Request& request, http::ResponseWriter& out) const;
  void scrape(const http::Request& request, http::ResponseWriter& out);
  bool permitted(const http::Request& request, http::ResponseWriter& out);

  const EndpointOptions options_;
  const Sources sources_;
  const Clock& clock_;
  kube::DelegatedAuth auth_;
  std::string certificate_;  // in use
  std::unique_ptr<http::Server> probes_, metrics_;
};

}  // namespace godwit::cli
