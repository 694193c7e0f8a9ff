// One API server for the whole program; each test has a namespace and an operator that serves only that. It has no
// controllers: what they would do the simulator does, and nothing else makes requests or pods. Who needs them (quotas,
// garbage collection) starts a server of their own.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apiserver/apiserver.h"
#include "apiserver/operator_process.h"
#include "apiserver/simulator.h"

namespace godwit::apiserver {

using namespace std::chrono_literals;
namespace r = kube::resources;

// The shared one, with all CRDs; started by the first who asks, ended by main. Null: missing().
ApiServer* sharedServer();
void endSharedServer();

using Condition = std::function<bool(const Json&)>;
// The object as soon as it fulfils the condition; null, and a failure of the test, after `most`.
Json until(kube::Api& api, const kube::ResourceType& type, const kube::NamespacedName& key, const Condition& condition,
           Duration most = 60s);
// Until there is no such object.
bool untilGone(kube::Api& api, const kube::ResourceType& type, const kube::NamespacedName& key, Duration most = 60s);

// Reason and message of condition Synchronizing.
std::string synchronizing(const Json& object);
bool synced(const Json& object, const std::string& manual);

class OperatorTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  kube::HttpApi& api() { return sharedServer()->api(); }
  kube::NamespacedName key(const std::string& name) const { return {ns, name}; }
  // Serves `ns` with its Lease in it.
  std::unique_ptr<OperatorProcess> startOperator(std::vector<std::string> arguments = {},
                                                 const std::string& kubeconfig = {},
                                                 std::vector<std::string> wrapper = {});

  Json make(const kube::ResourceType& type, const std::string& name, Json body);  // in `ns`
  void makeClaim(const std::string& name);
  void makeKeys(const std::string& name);  // what a source needs
  void makeSource(const std::string& name, const std::string& copyMethod, const std::string& manual);
  void makeDestination(const std::string& name, const std::string& copyMethod, Json trigger = nullptr);
  void trigger(const kube::ResourceType& type, const std::string& name, const std::string& manual);
  Json awaitSync(const kube::ResourceType& type, const std::string& name, const std::string& manual);
  // Who leads, as soon as somebody does who is not this one.
  std::string awaitHolder(const std::string& notThis, Duration most = 60s);
  std::string awaitWarning(const std::string& object);            // what its first Warning event says
  std::string kubectl(std::vector<std::string> arguments) const;  // its output, without the last line's end
  // A kubeconfig for this service account of `ns`.
  std::string kubeconfigOf(const std::string& account) const;
  std::string logPath() const { return sharedServer()->directory() + "/log/operator-" + ns + ".log"; }

  std::string ns;
  std::unique_ptr<Simulator> simulator;
};

}  // namespace godwit::apiserver
