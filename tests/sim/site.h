// One cluster of the simulated world: the embedded store in memory, standalone's own controllers, and Godwit's
// operator, each behind an Api that goes wrong. What a crash takes is rebuilt; what a crash leaves (store, disks)
// stays.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kube/recorder.h"
#include "replication/controller.h"
#include "replication/metrics.h"
#include "sim/disk.h"
#include "sim/faulty_api.h"
#include "sim/movers.h"
#include "standalone/address.h"
#include "standalone/job_controller.h"
#include "standalone/node.h"
#include "standalone/snapshot_controller.h"
#include "standalone/storage_controller.h"
#include "standalone/store.h"

namespace godwit::sim {

class Site {
 public:
  Site(int number, std::unique_ptr<standalone::Store> store, const Clock& clock, Random& random, Movers& movers);

  struct Part {
    std::string name;
    std::function<bool()> step;  // true: it did something
  };
  std::vector<Part> parts();  // in any order, any number of times
  std::optional<Duration> nextDelay() const;

  standalone::Store& store() { return *store_; }
  void forgetEvents();  // as a server's hour does: they would only make a long world slow
  // The volume behind a bound claim, or the one a ready snapshot holds; nullptr: there is none (yet).
  Content* claimed(const kube::NamespacedName& pvc);
  Content* taken(const kube::NamespacedName& snapshot);

  const int number;
  Disk volumes;
  FaultyApi operatorApi, nodeApi;
  std::int64_t crashes = 0;

 private:
  struct Operator {
    Operator(Site& site) : controller(site.operatorApi, site.clock_, site.random_, metrics, {}) {}
    replication::Metrics metrics;
    replication::Controller controller;
  };
  struct Machine;
  bool guarded(const std::function<bool()>& step, const std::function<void()>& rebuild);
  void startOperator();
  void startMachine();

  std::unique_ptr<standalone::Store> store_;
  const Clock& clock_;
  Random& random_;
  MoverHost runner_;
  std::unique_ptr<Operator> operator_;
  std::shared_ptr<Machine> machine_;
};

}  // namespace godwit::sim
