// The measured world: an API server of its own, the real operator, and a simulator that plays Jobs, claims and
// snapshots.
#pragma once
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "apiserver/apiserver.h"
#include "apiserver/operator_process.h"
#include "apiserver/simulator.h"

namespace godwit::bench {

kube::NamespacedName sourceKey(int i);
kube::NamespacedName destinationKey(int i);
Json sourceOf(int i, const std::string& copyMethod, const std::string& manual);

class Site {
 public:
  static Result<std::unique_ptr<Site>> open();

  kube::HttpApi& api() { return server->api(); }
  Result<void> startOperator();
  void stopOperator() { godwit.reset(); }

  // What users and the cluster do themselves in a source's first sync, without an operator: the source, a Job with its
  // pod, and their removal. Returns when all is done.
  Result<void> bareSyncs(int first, int count);

  // Fifty objects to a namespace, where sources share a claim and keys.
  Result<void> makeSources(int first, int count, const std::string& copyMethod, const std::string& manual);
  Result<void> prepareFor(int i) { return prepare(sourceKey(i).ns); }
  Result<void> makeDestinations(int first, int count, const std::string& copyMethod, const std::string& manual);
  Result<void> trigger(int source, const std::string& manual);
  // Until `count` objects of the kind have synchronised for `manual`; Timeout after ten minutes.
  Result<void> awaitSynced(const kube::ResourceType& type, int count, const std::string& manual);
  Result<void> awaitNoJobs();

  std::unique_ptr<apiserver::ApiServer> server;
  std::unique_ptr<apiserver::Simulator> simulator;
  std::unique_ptr<apiserver::OperatorProcess> godwit;

 private:
  std::string kubeconfig_;  // of the operator: its service account's, with the rights of a release
  Result<void> prepare(const std::string& ns);
  std::mutex preparing_;            // guards prepared_, and whoever finds a namespace there finds it whole
  std::set<std::string> prepared_;  // namespaces
};

}  // namespace godwit::bench
