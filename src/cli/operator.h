// `godwit operator`: the controller of a real cluster, one leader among its replicas, with endpoints for those who
// watch over it.
#pragma once
#include <memory>
#include <stop_token>
#include <string>

#include "cli/operator_endpoints.h"
#include "kube/http_api.h"
#include "kube/leader.h"
#include "replication/controller.h"

namespace godwit::cli {

struct OperatorOptions {
  std::string kubeconfig;  // empty: the pod's service account, else $KUBECONFIG, else ~/.kube/config
  std::string context;     // of the kubeconfig; empty: its current one
  replication::ControllerConfig controller;
  enum class OpenShift { Auto, Yes, No } openshift = OpenShift::Auto;  // Auto: where the cluster has its API group
  std::string securityConstraints = "godwit-mover";                    // those of movers there
  bool leaderElect = true;
  std::string leaderNamespace;  // of the Lease; empty: where this pod runs, else the kubeconfig context's
  std::string leaseName = "godwit-operator";
  // Far above what steady work needs; a burst that asks for more is the API server's to order (priority and fairness).
  double requestsPerSecond = 300;
  int burst = 600;
  EndpointOptions endpoints;
};

class Operator {
 public:
  // Listens when it returns; the API server may still be away. Invalid: kubeconfig, certificates, addresses.
  static Result<std::unique_ptr<Operator>> start(OperatorOptions options);
  // Leads, or waits to lead, until `stop`. A lost leadership is fought for again: an API server that was away must find
  // everybody at once when it is back. The Lease is given up at the end.
  void run(std::stop_token stop);
  const OperatorEndpoints& endpoints() const { return *endpoints_; }

 private:
  struct Term;
  Operator(OperatorOptions options, std::string ns);
  void lead(std::stop_token stop, kube::Api& api);
  bool askForOpenShift();
  std::optional<bool> onOpenShift(const std::stop_token& stop);
  std::shared_ptr<Term> term() const;
  OperatorEndpoints::Readiness readiness() const;
  std::string metrics() const;

  const OperatorOptions options_;
  const std::string leaseNamespace_;
  SystemClock clock_;
  Random random_;
  std::unique_ptr<kube::HttpApi> api_;
  std::unique_ptr<kube::HttpApi> leaseApi_;  // its own connection and no limit: renewals wait for nobody
  mutable std::mutex mutex_;
  std::shared_ptr<Term> term_;     // while this replica leads
  std::optional<bool> openshift_;  // what the server has said
  std::string unanswered_;         // why it has not
  std::unique_ptr<OperatorEndpoints> endpoints_;
};

}  // namespace godwit::cli
