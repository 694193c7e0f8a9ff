#include "sim/site.h"

#include <fmt/core.h>

#include "standalone/classes.h"
#include "standalone/pod_spec.h"

namespace godwit::sim {

namespace r = kube::resources;

struct Site::Machine {
  Machine(Site& site)
      : cluster(site.nodeApi),
        recorder(site.nodeApi, site.clock_, site.random_, "godwit-node"),
        addresses(cluster, site.runner_, site.clock_, hostAddress(site.number)),
        jobs(cluster, site.clock_, recorder),
        storage(cluster, site.volumes, work, site.clock_, recorder, false),
        snapshots(cluster, site.volumes, work, site.clock_, recorder),
        node(cluster, site.runner_, addresses, site.clock_, recorder,
             {fmt::format("host-{}", site.number), hostAddress(site.number), ""}) {}
  std::vector<standalone::Controller*> controllers() { return {&addresses, &jobs, &storage, &snapshots, &node}; }

  standalone::Cluster cluster;
  kube::Recorder recorder;
  standalone::Work work;
  standalone::Addresses addresses;
  standalone::JobController jobs;
  standalone::StorageController storage;
  standalone::SnapshotController snapshots;
  standalone::Node node;
  bool registered = false;
};

Site::Site(int which, std::unique_ptr<standalone::Store> store, const Clock& clock, Random& random, Movers& movers)
    : number(which),
      volumes(fmt::format("/site{}", which), clock, random),
      operatorApi(*store, clock, random),
      nodeApi(*store, clock, random),
      store_(std::move(store)),
      clock_(clock),
      random_(random),
      runner_(which, movers) {
  (void)standalone::seedClasses(*store_).ok();
  store_->setLogSource([](const kube::NamespacedName& pod, const kube::LogOptions&) -> Result<std::string> {
    return "log of " + pod.str() + "\n";
  });
  startOperator();
  startMachine();
}

void Site::startOperator() {
  operator_.reset();
  operator_ = std::make_unique<Operator>(*this);
}
void Site::startMachine() {
  machine_.reset();
  machine_ = std::make_shared<Machine>(*this);
}

bool Site::guarded(const std::function<bool()>& step, const std::function<void()>& rebuild) {
  try {
    return step();
  } catch (const Crash&) {
    ++crashes;
    rebuild();
    return true;
  }
}

std::vector<Site::Part> Site::parts() {
  const auto name = [this](const char* what) { return fmt::format("{} {}", number, what); };
  const auto operating = [this](std::function<bool()> step) {
    return [this, step] { return guarded(step, [this] { startOperator(); }); };
  };
  const auto machine = [this](std::function<bool(Machine&)> step) {
    return [this, step] {
      const auto current = machine_;  // lives until its step has unwound
      return guarded([&] { return step(*current); }, [this] { startMachine(); });
    };
  };
  std::vector<Part> out = {{name("operator's watches"), operating([this] { return operator_->controller.pump(); })},
                           {name("operator"), operating([this] { return operator_->controller.stepOne(); })},
                           {name("garbage collector"), [this] { return store_->collectGarbage(); }},
                           {name("node's watches"), machine([](Machine& m) {
                              if (!m.registered) m.registered = m.node.registerNode().ok();
                              return m.cluster.pump();
                            })}};
  const char* const names[] = {"addresses", "jobs", "storage", "snapshots", "node"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    out.push_back(
        {name(names[i]), machine([i](Machine& m) { return m.cluster.synced() && m.controllers()[i]->step(); })});
  }
  return out;
}

std::optional<Duration> Site::nextDelay() const {
  std::optional<Duration> delay;
  const auto take = [&](const std::optional<Duration>& other) {
    if (other) delay = std::min(delay.value_or(*other), *other);
  };
  take(operator_->controller.nextDelay());
  take(operatorApi.nextDelay());
  take(nodeApi.nextDelay());
  for (const auto* controller : machine_->controllers()) take(controller->nextDelay());
  return delay;
}

void Site::forgetEvents() {
  const auto all = store_->list(r::kEvents, {});
  if (!all.ok()) return;
  for (const auto& event : all->items) (void)store_->remove(r::kEvents, kube::keyOf(event), {}).ok();
}

Content* Site::claimed(const kube::NamespacedName& pvc) {
  const auto claim = store_->get(r::kPersistentVolumeClaims, pvc);
  if (!claim.ok() || text(*claim, "status", "phase") != "Bound") return nullptr;
  const auto volume = store_->get(r::kPersistentVolumes, {"", text(*claim, "spec", "volumeName")});
  return volume.ok() ? volumes.at(standalone::volumePathOf(*volume)) : nullptr;
}

Content* Site::taken(const kube::NamespacedName& name) {
  const auto snapshot = store_->get(r::kVolumeSnapshots, name);
  if (!snapshot.ok() || !truth(*snapshot, "status", "readyToUse")) return nullptr;
  const auto bound = text(*snapshot, "status", "boundVolumeSnapshotContentName");
  const auto content = store_->get(r::kVolumeSnapshotContents, {"", bound});
  return content.ok() ? volumes.at(volumes.snapshotPath(text(*content, "status", "snapshotHandle"))) : nullptr;
}

}  // namespace godwit::sim
