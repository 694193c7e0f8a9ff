// Who is held to the contract: the store, the store seen through its REST face by our own client over TLS, and any
// cluster that GODWIT_CONTRACT_KUBECONFIG names.
#include <cstdlib>

#include "base/clock.h"
#include "base/random.h"
#include "contract/api_contract.h"
#include "http/server.h"
#include "http/tls.h"
#include "kube/http_api.h"
#include "kube/kubeconfig.h"
#include "standalone/rest_api.h"
#include "standalone/store.h"

namespace godwit::contract {

namespace r = kube::resources;

namespace {

class StoreSubject : public Subject {
 public:
  static constexpr std::size_t kHistory = 64;

  static std::unique_ptr<Subject> make() {
    auto subject = std::make_unique<StoreSubject>();
    return subject->open() ? std::move(subject) : nullptr;
  }
  bool open() {
    auto store = standalone::Store::open({.historyLimit = kHistory}, clock_, random_);
    EXPECT_TRUE(store.ok()) << store.error().message;
    if (store) store_ = std::move(*store);
    return store.ok();
  }
  kube::Api& api() override { return *store_; }
  void settle() override { store_->collectGarbage(); }
  std::string forgottenVersion() override {
    const std::string old = store_->resourceVersion();
    for (std::size_t i = 0; i <= kHistory; ++i) {
      const auto made =
          store_->create(r::kConfigMaps, {{"metadata", {{"generateName", "history-"}, {"namespace", "default"}}}});
      EXPECT_TRUE(made.ok()) << made.error().message;
    }
    return old;
  }

 protected:
  SystemClock clock_;
  Random random_{1};
  std::unique_ptr<standalone::Store> store_;
};

class RestSubject final : public StoreSubject {
 public:
  static std::unique_ptr<Subject> make() {
    auto subject = std::make_unique<RestSubject>();
    return subject->open() && subject->serve() ? std::move(subject) : nullptr;
  }
  bool serve() {
    const auto authority = http::makeAuthority("contract", clock_.now(), std::chrono::hours(1));
    EXPECT_TRUE(authority.ok()) << authority.error().message;
    const auto identity =
        http::issue(*authority, {.commonName = "godwit", .names = {"127.0.0.1"}}, clock_.now(), std::chrono::hours(1));
    EXPECT_TRUE(identity.ok()) << identity.error().message;
    rest_ = std::make_unique<standalone::RestApi>(*store_, clock_, standalone::RestOptions{.token = "open sesame"});
    auto server =
        http::Server::start({.tls = *identity}, [this](const auto& request, auto& out) { rest_->serve(request, out); });
    EXPECT_TRUE(server.ok()) << server.error().message;
    if (!server) return false;
    server_ = std::move(*server);
    kube::ClusterAccess access;
    access.server = {.tls = true, .host = "127.0.0.1", .port = server_->port()};
    access.tls.caPem = authority->certificate;
    access.token = "open sesame";
    auto client = kube::HttpApi::make(access, clock_);
    EXPECT_TRUE(client.ok()) << client.error().message;
    if (client) client_ = std::move(*client);
    return client.ok();
  }
  kube::Api& api() override { return *client_; }

 private:
  std::unique_ptr<standalone::RestApi> rest_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<kube::HttpApi> client_;
};

// A cluster somebody else runs, with its own controllers.
class ClusterSubject final : public Subject {
 public:
  static std::unique_ptr<Subject> make() {
    auto subject = std::make_unique<ClusterSubject>();
    const auto access = kube::loadKubeconfig(std::getenv("GODWIT_CONTRACT_KUBECONFIG"), "");
    EXPECT_TRUE(access.ok()) << access.error().message;
    if (!access) return nullptr;
    auto api = kube::HttpApi::make(*access, subject->clock_);
    EXPECT_TRUE(api.ok()) << api.error().message;
    if (!api) return nullptr;
    subject->api_ = std::move(*api);
    return subject;
  }
  kube::Api& api() override { return *api_; }
  // Whoever runs the cluster compacts its etcd and says up to which version.
  std::string forgottenVersion() override {
    const char* version = std::getenv("GODWIT_CONTRACT_FORGOTTEN_VERSION");
    return version != nullptr ? version : "";
  }

 private:
  SystemClock clock_;
  std::unique_ptr<kube::HttpApi> api_;
};

std::vector<SubjectKind> subjects() {
  std::vector<SubjectKind> out{{"Store", StoreSubject::make}, {"Rest", RestSubject::make}};
  if (std::getenv("GODWIT_CONTRACT_KUBECONFIG") != nullptr) out.push_back({"Cluster", ClusterSubject::make});
  return out;
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Implementations, ApiContract, ::testing::ValuesIn(subjects()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace godwit::contract
