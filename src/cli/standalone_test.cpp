#include "cli/standalone.h"

#include <gmock/gmock.h>

#include "base/fd.h"
#include "cli/client.h"
#include "cli/data_dir.h"
#include "cli/testing.h"

namespace godwit::cli {
namespace {

using testing::HasSubstr;

const Json kNamespace = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "kept"}}}};

TEST(Standalone, ItsKubeconfigAndObjectsStayGoodAcrossRestarts) {
  const TempDir temp;
  std::uint16_t port = 0;
  {
    const auto first = Standalone::start({.dataDir = temp.path(), .port = 0});
    ASSERT_TRUE(first) << first.error().message;
    const auto url = (*first)->server();
    port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    const auto client = connect({.kubeconfig = (*first)->kubeconfig()});
    ASSERT_TRUE(client) << client.error().message;
    const auto made = client->api->create(kube::resources::kNamespaces, kNamespace);
    ASSERT_TRUE(made) << made.error().message;
  }
  const auto before = readFile(temp.path() / "kubeconfig");
  const auto second = Standalone::start({.dataDir = temp.path(), .port = port});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(*before, *readFile(temp.path() / "kubeconfig"));
  EXPECT_TRUE((*second)->api().get(kube::resources::kNamespaces, {"", "kept"}));
}

// Without a token everybody on this machine could do what its owner can.
TEST(Standalone, ATokenThatIsNoneIsRefused) {
  const TempDir temp;
  ASSERT_TRUE(writeFileAtomic(temp.path() / "token", "", 0600));
  const auto started = Standalone::start({.dataDir = temp.path(), .port = 0});
  ASSERT_TRUE(started.is(Errc::Invalid));
  EXPECT_THAT(started.error().message, HasSubstr("/token is empty or too short; delete it"));
}

TEST(Standalone, NamesWhoHoldsThePortOrTheDirectory) {
  const TempDir one, two;
  const auto first = Standalone::start({.dataDir = one.path(), .port = 0});
  ASSERT_TRUE(first) << first.error().message;
  const auto url = (*first)->server();
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  const auto samePort = Standalone::start({.dataDir = two.path(), .port = port});
  ASSERT_FALSE(samePort);
  EXPECT_THAT(samePort.error().message, HasSubstr("pid " + std::to_string(::getpid())));
  const auto sameDirectory = Standalone::start({.dataDir = one.path(), .port = 0});
  ASSERT_FALSE(sameDirectory);
  EXPECT_THAT(sameDirectory.error().message, HasSubstr("is held by process"));
}

TEST(Standalone, AppliesManifestsAtStartAndRefusesBrokenOnes) {
  const TempDir temp;
  const auto good = (temp.path() / "good.yaml").string(), bad = (temp.path() / "bad.yaml").string();
  ASSERT_TRUE(writeFileAtomic(good, "{apiVersion: v1, kind: Namespace, metadata: {name: made}}"));
  ASSERT_TRUE(writeFileAtomic(bad, "{apiVersion: v1, kind: Nonsense, metadata: {name: x}}"));
  {
    const auto godwit = Standalone::start({.dataDir = temp.path() / "data", .port = 0, .manifests = {good}});
    ASSERT_TRUE(godwit) << godwit.error().message;
    EXPECT_TRUE((*godwit)->api().get(kube::resources::kNamespaces, {"", "made"}));
  }
  const auto refused = Standalone::start({.dataDir = temp.path() / "data", .port = 0, .manifests = {bad}});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("bad.yaml: nonsense/x: no matches for kind"));
}

TEST(Connect, SaysWhereItLooked) {
  const auto none = connect({.kubeconfig = "/nonexistent/kubeconfig"});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("/nonexistent/kubeconfig"));
}

}  // namespace
}  // namespace godwit::cli
