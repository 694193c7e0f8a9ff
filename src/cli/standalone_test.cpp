#include "cli/standalone.h"

#include <gmock/gmock.h>

#include "base/fd.h"
#include "cli/client.h"
#include "cli/data_dir.h"
#include "cli/testing.h"
#include "http/testing.h"
#include "http/tls_context.h"

namespace godwit::cli {
namespace {

using testing::HasSubstr;

const Json kNamespace = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "kept"}}}};

std::uint16_t portOf(const Standalone& godwit) {
  const auto url = godwit.server();
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

TEST(Standalone, ItsKubeconfigAndObjectsStayGoodAcrossRestarts) {
  const TempDir temp;
  std::uint16_t port = 0;
  {
    const auto first = Standalone::start({.dataDir = temp.path(), .port = 0});
    ASSERT_TRUE(first) << first.error().message;
    port = portOf(**first);
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

// What the server answers to a head whose body does not come.
std::string answerToHead(std::uint16_t port, const std::string& authorityPem, const std::string& head) {
  auto connection = http::dial(port);
  const auto patience = http::Patience::of(std::chrono::seconds(20));
  EXPECT_TRUE(connection.connectTls(*http::clientContext({.caPem = authorityPem}), "127.0.0.1", patience));
  EXPECT_TRUE(connection.write(head + "\r\nHost: h\r\nContent-Length: 1000\r\n\r\n", patience));
  char buffer[256];
  const auto got = connection.read(buffer, sizeof buffer, patience);
  return got ? std::string(buffer, *got) : got.error().message;
}

TEST(Standalone, WhoHasNoTokenIsNotListenedTo) {
  const TempDir temp;
  const auto godwit = Standalone::start({.dataDir = temp.path(), .port = 0});
  ASSERT_TRUE(godwit) << godwit.error().message;
  const auto port = portOf(**godwit);
  const auto authority = *readFile(temp.path() / "authority.pem");
  for (const std::string head : {"POST /api/v1/namespaces HTTP/1.1", "POST /metrics HTTP/1.1"}) {
    EXPECT_THAT(answerToHead(port, authority, head), HasSubstr("HTTP/1.1 401 "));
    EXPECT_THAT(answerToHead(port, authority, head + "\r\nAuthorization: Bearer wrong"), HasSubstr("HTTP/1.1 401 "));
  }
  const auto token = "\r\nAuthorization: Bearer " + *readFile(temp.path() / "token");
  EXPECT_THAT(answerToHead(port, authority, "POST /api/v1/namespaces HTTP/1.1\r\nExpect: 100-continue" + token),
              HasSubstr("HTTP/1.1 100 "));
}

TEST(Standalone, NamesWhoHoldsThePortOrTheDirectory) {
  const TempDir one, two;
  const auto first = Standalone::start({.dataDir = one.path(), .port = 0});
  ASSERT_TRUE(first) << first.error().message;
  const auto port = portOf(**first);
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

TEST(Standalone, SaysOfAManifestWhatItsKindDoesNotKnow) {
  const TempDir temp;
  const auto odd = (temp.path() / "odd.yaml").string();
  ASSERT_TRUE(writeFileAtomic(odd, R"({apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {
    storageClasName: nowhere, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}})"));
  testing::internal::CaptureStderr();
  const auto godwit = Standalone::start({.dataDir = temp.path() / "data", .port = 0, .manifests = {odd}});
  const auto said = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(godwit) << godwit.error().message;
  EXPECT_THAT(said, HasSubstr("unknown field \"spec.storageClasName\""));
}

TEST(Connect, SaysWhereItLooked) {
  const auto none = connect({.kubeconfig = "/nonexistent/kubeconfig"});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("/nonexistent/kubeconfig"));
}

}  // namespace
}  // namespace godwit::cli
