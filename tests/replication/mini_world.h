// A cluster in one thread: the store, a manual clock, the controller, and a test that plays storage and nodes.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/core.h"
#include "api/names.h"
#include "replication/controller.h"
#include "replication/keygen.h"
#include "replication/metrics.h"
#include "sim/faulty_api.h"
#include "standalone/store.h"

namespace godwit::replication {

using namespace std::chrono_literals;
using api::Role;
namespace kinds = kube::resources;

// Into a spec: one iteration, asked for by hand.
inline const Json kManual = {{"trigger", {{"manual", "one"}}}};

// Counts what a real cluster would count: everything but watches and events.
class CountingApi final : public kube::Api {
 public:
  explicit CountingApi(kube::Api& real) : real_(real) {}
  std::vector<std::string> requests;  // "create jobs", "patch replicationsources/status", ...

  Result<Json> get(const kube::ResourceType& type, const kube::NamespacedName& key) override {
    return note("get", type), real_.get(type, key);
  }
  Result<kube::List> list(const kube::ResourceType& type, const kube::ListOptions& options) override {
    return note("list", type), real_.list(type, options);
  }
  Result<std::unique_ptr<kube::Watch>> watch(const kube::ResourceType& type,
                                             const kube::WatchOptions& options) override {
    return real_.watch(type, options);
  }
  Result<Json> create(const kube::ResourceType& type, const Json& object) override {
    return note("create", type), real_.create(type, object);
  }
  Result<Json> patch(const kube::ResourceType& type, const kube::NamespacedName& key, const Json& change,
                     kube::Subresource subresource) override {
    return note("patch", type, subresource == kube::Subresource::Status ? "/status" : ""),
           real_.patch(type, key, change, subresource);
  }
  Result<void> remove(const kube::ResourceType& type, const kube::NamespacedName& key,
                      const kube::DeleteOptions& options) override {
    return note("delete", type), real_.remove(type, key, options);
  }
  Result<std::string> logs(const kube::NamespacedName& pod, const kube::LogOptions& options) override {
    return note("logs", kinds::kPods), real_.logs(pod, options);
  }

 private:
  void note(const char* verb, const kube::ResourceType& type, const char* suffix = "") {
    if (type.plural != "events") requests.push_back(fmt::format("{} {}{}", verb, type.plural, suffix));
  }
  kube::Api& real_;
};

// The API server's clock, as far from the controller's as it may be.
class SkewedClock final : public Clock {
 public:
  explicit SkewedClock(const Clock& real) : real_(real) {}
  Duration skew{0};
  TimePoint now() const override { return real_.now() + skew; }
  Duration monotonic() const override { return real_.monotonic(); }

 private:
  const Clock& real_;
};

class MiniWorld : public testing::Test {
 protected:
  MiniWorld();

  // The controller as a process: start() also after a crash.
  void start();
  // Lets events, reconciles and (unless told otherwise) storage settle. Time stands still.
  void settle();
  void advance(Duration by);  // then settles

  // Storage and nodes.
  bool storageRespond = true;
  bool playStorage();        // binds claims, readies snapshots, gives addresses; true if there was any
  void runMover(Role role);  // its pod runs from now on
  void endMover(Role role, bool ok = true, const std::string& message = "");
  std::string makePod(const Json& job);  // the name
  std::string resultMessage(bool ok, const std::string& error = "") const;

  // Objects. Everything lives in namespace "ns".
  void put(const kube::ResourceType& type, Json object);
  void edit(const kube::ResourceType& type, const std::string& name, const Json& patch,
            kube::Subresource subresource = kube::Subresource::None);
  Json get(const kube::ResourceType& type, const std::string& name);  // null when absent
  std::vector<std::string> names(const kube::ResourceType& type);
  api::Replication source();                                  // "s"
  api::Replication destination();                             // "d"
  std::string synchronizing(const api::Replication& object);  // "True SyncInProgress Synchronization in-progress"
  std::string reconciled(const api::Replication& object);
  std::vector<std::string> events();  // "TransferStarted"...

  void makePvc(const std::string& name, const Json& annotations = Json::object());
  void makeKeys(Role role, const std::string& name);
  void makeSource(const Json& rsync, const Json& spec = Json::object());
  void startSource(const std::string& copyMethod);  // of "data" with "keys", once
  void makeDestination(const Json& rsync, const Json& spec = Json::object());

  ManualClock clock{std::chrono::sys_days{std::chrono::year{2021} / 1 / 14} + 19h};
  SkewedClock serverClock{clock};
  Random random{1};
  std::unique_ptr<standalone::Store> store;
  std::unique_ptr<sim::FaultyApi> faulty;
  std::unique_ptr<CountingApi> counted;
  Metrics metrics;
  ControllerConfig config;
  std::unique_ptr<Controller> controller;
};

}  // namespace godwit::replication
