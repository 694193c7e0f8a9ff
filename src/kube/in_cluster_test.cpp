#include "kube/in_cluster.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace godwit::kube {
namespace {

class InCluster : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/godwit-account-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    dir_ = name;
    for (const char* file : {"ca.crt", "token", "namespace"}) std::ofstream(dir_ / file) << "the " << file;
    ::setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    ::setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
  }
  void TearDown() override {
    std::filesystem::remove_all(dir_);
    ::unsetenv("KUBERNETES_SERVICE_HOST");
    ::unsetenv("KUBERNETES_SERVICE_PORT");
  }
  std::filesystem::path dir_;
};

TEST_F(InCluster, TheServiceAccountsFilesAreTaken) {
  const auto access = inClusterAccess(dir_);
  ASSERT_TRUE(access.ok()) << access.error().message;
  EXPECT_TRUE(access->server.tls);
  EXPECT_EQ(access->server.host, "fd00::1");
  EXPECT_EQ(access->server.port, 6443);
  EXPECT_EQ(access->tokenFile, dir_ / "token") << "it is read again when it has been rotated";
  EXPECT_EQ(access->ns, "the namespace");
}

TEST_F(InCluster, OutsideThereIsNone) {
  ::unsetenv("KUBERNETES_SERVICE_HOST");
  EXPECT_TRUE(inClusterAccess(dir_).is(Errc::NotFound));
}

}  // namespace
}  // namespace godwit::kube
