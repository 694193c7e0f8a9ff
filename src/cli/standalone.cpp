#include "cli/standalone.h"

#include <thread>

#include "base/log.h"
#include "cli/data_dir.h"
#include "cli/face.h"
#include "cli/manifests.h"
#include "replication/metrics.h"
#include "standalone/admission.h"
#include "standalone/machine.h"
#include "standalone/pool.h"
#include "standalone/store.h"

namespace godwit::cli {

namespace sa = standalone;

// In the order they depend on each other: destroyed from the end, so that nothing outlives what it uses.
struct Standalone::Impl {
  explicit Impl(DataDir held) : dataDir(std::move(held)) {}
  ~Impl();

  DataDir dataDir;
  SystemClock clock;
  Random random;
  std::unique_ptr<sa::Store> store;
  std::unique_ptr<sa::Machine> machine;
  replication::Metrics metrics;
  std::unique_ptr<replication::Controller> controller;
  std::unique_ptr<Face> face;
  std::jthread garbage, node, replicator;
};

// Also of a start that failed half-way.
Standalone::Impl::~Impl() {
  if (face) face->stop();
  // All are told before any is waited for.
  for (auto* thread : {&replicator, &node, &garbage}) thread->request_stop();
  for (auto* thread : {&replicator, &node, &garbage}) {
    if (thread->joinable()) thread->join();
  }
  if (store) store->setLogSource({});
  machine.reset();  // containers hold the volumes
  sa::closePool(dataDir.path().string());
}

Standalone::Standalone(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Standalone::~Standalone() = default;

kube::Api& Standalone::api() {
  return *impl_->store;
}
std::filesystem::path Standalone::kubeconfig() const {
  return impl_->dataDir.kubeconfig();
}
std::string Standalone::server() const {
  return impl_->face->url();
}

namespace {

Result<void> applyAll(kube::Api& api, const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    GODWIT_ASSIGN(const auto objects, loadManifests(path));
    for (const auto& object : objects) {
      const auto applied = applyManifest(api, object);
      if (!applied)
        return Error{applied.error().code, path + ": " + displayName(object) + ": " + applied.error().message};
      log::info("cli", "{} {}", displayName(object), name(*applied));
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Standalone>> Standalone::start(StandaloneOptions options) {
  GODWIT_ASSIGN(auto dir, DataDir::open(options.dataDir));
  auto impl = std::make_unique<Impl>(std::move(dir));
  auto& it = *impl;
  GODWIT_ASSIGN(it.store,
                sa::Store::open({.database = (it.dataDir.path() / "store.db").string()}, it.clock, it.random));
  sa::installAdmission(*it.store);
  GODWIT_TRY(sa::seedCustomResourceDefinitions(*it.store));
  GODWIT_ASSIGN(it.machine, sa::Machine::open(*it.store, it.clock, it.random,
                                              {.dataDir = it.dataDir.path().string(), .pool = options.pool}));
  it.store->setLogSource([&machine = *it.machine](const auto& pod, const auto& how) { return machine.logs(pod, how); });
  it.controller =
      std::make_unique<replication::Controller>(*it.store, it.clock, it.random, it.metrics, options.controller);
  GODWIT_TRY(applyAll(*it.store, options.manifests));
  // The port last: from here on nothing can fail, and nobody is served by half a Godwit.
  GODWIT_ASSIGN(it.face, Face::open(*it.store, it.dataDir, it.clock, {.address = options.address, .port = options.port},
                                    [&metrics = it.metrics] { return metrics.render(); }));
  it.garbage = std::jthread([&it](std::stop_token stop) { it.store->collectGarbageUntil(stop); });
  it.node = std::jthread([&it](std::stop_token stop) { it.machine->run(stop); });
  it.replicator = std::jthread([&it](std::stop_token stop) { it.controller->run(stop); });
  return std::unique_ptr<Standalone>(new Standalone(std::move(impl)));
}

}  // namespace godwit::cli
