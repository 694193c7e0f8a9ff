// The contract of kube::Api, held by HttpApi and the real server.
#include "apiserver/fixture.h"

namespace godwit::apiserver {

TEST(Contract, HoldsAgainstARealApiServer) {
  if (const auto missing = ApiServer::missing(); !missing.empty())
    GTEST_SKIP() << "SKIPPED: the contract is not checked against a real API server: " << missing;
  auto server = ApiServer::start(true);
  ASSERT_TRUE(server.ok()) << server.error().message;
  // Its watch caches begin anew: what was before is forgotten.
  ASSERT_TRUE((*server)->kill().ok());
  ASSERT_TRUE((*server)->restart().ok());
  ProcessSpec spec;
  spec.argv = {GODWIT_CONTRACT_TEST, "--gtest_filter=*/Cluster"};
  spec.env.emplace();
  for (char** each = ::environ; *each; ++each) spec.env->emplace_back(*each);
  spec.env->push_back("GODWIT_CONTRACT_KUBECONFIG=" + (*server)->kubeconfig());
  spec.env->push_back("GODWIT_CONTRACT_FORGOTTEN_VERSION=1");
  const auto ran = runProcess(std::move(spec), {}, 300s);
  ASSERT_TRUE(ran.ok()) << ran.error().message;
  EXPECT_TRUE(ran->status.success()) << ran->out;
  EXPECT_EQ(ran->out.find("SKIPPED"), std::string::npos) << ran->out;
  EXPECT_NE(ran->out.find("/Cluster"), std::string::npos) << "no test ran";
}

}  // namespace godwit::apiserver
