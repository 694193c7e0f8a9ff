#include "kube/kubeconfig.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/fd.h"
#include "kube/http_api.h"

using namespace godwit;
using namespace godwit::kube;

static const char* kConfig = R"(
apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: c, user: u, namespace: team}}
- {name: plugin, context: {cluster: c, user: p}}
- {name: half, context: {cluster: c, user: h}}
- {name: lost, context: {cluster: nowhere}}
clusters:
- name: c
  cluster: {server: "https://[::1]:6443/prefix/", certificate-authority-data: Y2E=, tls-server-name: kube}
users:
- {name: u, user: {token: t}}
- {name: p, user: {exec: {command: aws}}}
- {name: h, user: {client-certificate-data: Y2E=}}
)";

static std::string errorOf(const std::string& context, std::string config = kConfig) {
  const auto access = parseKubeconfig(config, context, "/");
  return access ? "" : access.error().message;
}

TEST(Kubeconfig, CurrentContextAndAllItNames) {
  const auto access = parseKubeconfig(kConfig, "", "/");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->server.authority(), "[::1]:6443");
  EXPECT_EQ(access->server.path, "/prefix");
  EXPECT_TRUE(access->server.tls);
  EXPECT_EQ(access->tls.caPem, "ca");
  EXPECT_EQ(access->tls.serverName, "kube");
  EXPECT_EQ(access->token, "t");
  EXPECT_EQ(access->ns, "team");
}

TEST(Kubeconfig, MistakesNameTheEntry) {
  EXPECT_EQ(errorOf("nobody"), "kubeconfig: contexts: no entry named \"nobody\"");
  EXPECT_EQ(errorOf("lost"), "kubeconfig: clusters: no entry named \"nowhere\"");
  EXPECT_NE(errorOf("plugin").find("\"exec\" plugins are not supported"), std::string::npos);
  EXPECT_NE(errorOf("half").find("client-key belong together"), std::string::npos);
  EXPECT_EQ(errorOf("", "a: b"), "kubeconfig: no current-context; name one with --context");
  EXPECT_EQ(errorOf("", "- 1"), "kubeconfig: not one YAML mapping");
  EXPECT_NE(errorOf("", "{").find("kubeconfig: "), std::string::npos);
}

TEST(Kubeconfig, FilesLieBesideTheConfig) {
  char dir[] = "/tmp/godwit-kubeconfig-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  const std::filesystem::path at(dir);
  ASSERT_TRUE(writeFileAtomic(at / "ca.pem", "CA").ok());
  ASSERT_TRUE(writeFileAtomic(at / "config",
                              R"({"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],
    "clusters":[{"name":"c","cluster":{"server":"http://h","certificate-authority":"ca.pem"}}],"users":[{"name":"u","user":{"tokenFile":"token"}}]})")
                  .ok());
  const auto access = loadKubeconfig(at / "config", "");
  ASSERT_TRUE(access) << access.error().message;
  EXPECT_EQ(access->tls.caPem, "CA");
  EXPECT_EQ(access->tokenFile, (at / "token").string());
  EXPECT_EQ(access->server.port, 80);
  EXPECT_EQ(loadKubeconfig(at / "absent", "").error().code, Errc::NotFound);
  std::filesystem::remove_all(at);
}

TEST(HttpApi, StatusesBecomeErrorsWithTheServersWords) {
  const auto about = [](int code, const char* body) {
    const auto error = statusError(code, body);
    return std::pair(error.code, error.message);
  };
  EXPECT_EQ(about(409, R"({"kind":"Status","reason":"AlreadyExists","message":"there"})"),
            std::pair(Errc::AlreadyExists, std::string("there")));
  EXPECT_EQ(about(409, R"({"kind":"Status","reason":"Conflict","message":"m"})"),
            std::pair(Errc::Conflict, std::string("m")));
  EXPECT_EQ(about(404, R"({"kind":"Status","reason":"NotFound","message":"m"})"),
            std::pair(Errc::NotFound, std::string("m")));
  EXPECT_EQ(about(404, "404 page not found").first, Errc::Unsupported);
  EXPECT_EQ(about(410, R"({"kind":"Status","reason":"Expired","message":"m"})").first, Errc::Gone);
  EXPECT_EQ(about(429, "").first, Errc::TooManyRequests);
  EXPECT_EQ(about(503, "x"), std::pair(Errc::Unavailable, std::string("HTTP 503: x")));
}

TEST(Url, HostsPortsAndPaths) {
  EXPECT_EQ(http::parseUrl("https://a")->authority(), "a");
  EXPECT_EQ(http::parseUrl("https://a:8443/x/")->authority(), "a:8443");
  EXPECT_EQ(http::parseUrl("http://[::1]/")->host, "::1");
  for (const char* bad :
       {"a", "ftp://a", "https://", "https://a:0", "https://a:65536", "https://a:x", "https://[::1", "https://u@h"}) {
    EXPECT_EQ(http::parseUrl(bad).error().code, Errc::Invalid) << bad;
  }
  EXPECT_EQ(http::encodeComponent("a b/c=\xff"), "a%20b%2Fc%3D%FF");
}
