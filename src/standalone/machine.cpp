#include "standalone/machine.h"

#include <poll.h>
#include <unistd.h>

#include "base/log.h"
#include "standalone/classes.h"
#include "standalone/image_links.h"
#include "standalone/job_controller.h"
#include "standalone/node.h"
#include "standalone/sandbox.h"
#include "standalone/snapshot_controller.h"
#include "standalone/storage_controller.h"

namespace godwit::standalone {

namespace {

// As Kubernetes names it: lower case, of the host.
std::string nodeName() {
  char name[256] = "godwit";
  ::gethostname(name, sizeof name - 1);
  std::string out;
  for (const char c : std::string_view(name)) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.') out += static_cast<char>(std::tolower(c));
  }
  return out.empty() ? "godwit" : out;
}

}  // namespace

struct Machine::Impl {
  Impl(kube::Api& api, const Clock& clockGiven, Random& random, Pool poolGiven, std::unique_ptr<Sandbox> sandboxGiven,
       std::unique_ptr<Waker> wakerGiven, const std::string& dataDir)
      : clock(clockGiven),
        pool(std::move(poolGiven)),
        sandbox(std::move(sandboxGiven)),
        waker(std::move(wakerGiven)),
        address(primaryAddress()),
        recorder(api, clock, random, "godwit"),
        cluster(api),
        work([this] { waker->wake(); }),
        addresses(cluster, ports, clock, address),
        images(cluster, *pool.volumes, clock, dataDir + "/images"),
        storage(cluster, *pool.volumes, work, clock, recorder, true, &images),
        snapshots(cluster, *pool.volumes, work, clock, recorder, &images),
        jobs(cluster, clock, recorder),
        node(cluster, *sandbox, addresses, clock, recorder, {nodeName(), address, dataDir + "/pods"}),
        loop(cluster, *waker) {
    // Links first: what they do not show any more is then deleted by the same event.
    for (Controller* controller :
         {static_cast<Controller*>(&addresses), static_cast<Controller*>(&images), static_cast<Controller*>(&storage),
          static_cast<Controller*>(&snapshots), static_cast<Controller*>(&jobs), static_cast<Controller*>(&node)}) {
      loop.add(*controller);
    }
  }

  const Clock& clock;
  Pool pool;
  std::unique_ptr<Sandbox> sandbox;
  std::unique_ptr<Waker> waker;
  std::string address;
  HostPorts ports;
  kube::Recorder recorder;
  Cluster cluster;
  Work work;
  Addresses addresses;
  ImageLinks images;
  StorageController storage;
  SnapshotController snapshots;
  JobController jobs;
  Node node;
  Loop loop;
};

Machine::Machine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Machine::~Machine() = default;

Result<std::unique_ptr<Machine>> Machine::open(kube::Api& api, const Clock& clock, Random& random,
                                               const MachineOptions& options) {
  GODWIT_ASSIGN(auto pool, openPool(options.dataDir, options.pool));
  GODWIT_ASSIGN(auto sandbox, Sandbox::open({options.dataDir + "/pods"}));
  GODWIT_ASSIGN(auto waker, Waker::create());
  log::info("pool", "{}", pool.description);
  if (::geteuid() != 0) {
    log::info("node",
              "as an ordinary user: what is received belongs to you, owners and devices are not kept, unreadable files "
              "fail a sync, "
              "ports below 1024 are not permitted");
  }
  std::unique_ptr<Machine> out(new Machine(std::make_unique<Impl>(
      api, clock, random, std::move(pool), std::move(sandbox), std::move(waker), options.dataDir)));
  GODWIT_TRY(seedClasses(api));
  GODWIT_TRY(out->impl_->node.registerNode());
  return out;
}

void Machine::run(std::stop_token stop) {
  constexpr Duration kPatience = std::chrono::seconds(10);
  impl_->loop.run(stop);
  impl_->node.terminateAll();
  const auto deadline = impl_->clock.monotonic() + kPatience;
  while (!impl_->node.idle() && impl_->clock.monotonic() < deadline) {
    std::vector<pollfd> ends;
    std::vector<int> fds;
    impl_->node.addFds(fds);
    for (const int fd : fds) ends.push_back({fd, POLLIN, 0});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - impl_->clock.monotonic()).count();
    if (!ends.empty() && ::poll(ends.data(), ends.size(), static_cast<int>(std::max<std::int64_t>(left, 0))) <= 0)
      break;
    if (!impl_->node.step()) break;  // the mirror has stopped: what cannot be told now is found at the next start
  }
}

Result<std::string> Machine::logs(const kube::NamespacedName& pod, const kube::LogOptions& options) {
  return impl_->node.logs(pod, options);
}
const std::string& Machine::poolDescription() const {
  return impl_->pool.description;
}
const std::string& Machine::hostAddress() const {
  return impl_->address;
}

}  // namespace godwit::standalone
