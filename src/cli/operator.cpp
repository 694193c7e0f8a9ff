#include "cli/operator.h"

#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/log.h"
#include "cli/frugal.h"
#include "kube/in_cluster.h"
#include "kube/leading_api.h"
#include "replication/metrics.h"

namespace godwit::cli {

namespace {

constexpr Duration kLeaseCall = std::chrono::seconds(4);  // several fit into the time a leader has to renew
constexpr std::chrono::seconds kSettled(5), kHousekeeping(60), kAskAgain(1);
constexpr std::string_view kOpenShiftGroup = "security.openshift.io";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Result<kube::ClusterAccess> findAccess(const OperatorOptions& options) {
  if (!options.kubeconfig.empty()) return kube::loadKubeconfig(options.kubeconfig, options.context);
  if (options.context.empty()) {
    auto pod = kube::inClusterAccess();
    if (!pod.is(Errc::NotFound)) return pod;
  }
  if (const auto named = environment("KUBECONFIG"); !named.empty()) return kube::loadKubeconfig(named, options.context);
  auto home = kube::loadKubeconfig(environment("HOME") + "/.kube/config", options.context);
  if (!home.is(Errc::NotFound)) return home;
  return Error{Errc::NotFound, "no API server: not in a pod, no --kubeconfig, no KUBECONFIG and no ~/.kube/config"};
}

std::string identity(Random& random) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return std::string(host) + "_" + random.uuid();
}

}  // namespace

// One time of leadership.
struct Operator::Term {
  Term(kube::Api& api, const Clock& clock, Random& random, const replication::ControllerConfig& config)
      : controller(api, clock, random, metrics, config) {
    controller.whenReady(releaseMemory);
  }
  replication::Metrics metrics;  // a replica that does not lead has no series
  replication::Controller controller;
};

Operator::Operator(OperatorOptions options, std::string ns)
    : options_(std::move(options)), leaseNamespace_(std::move(ns)) {}

Result<std::unique_ptr<Operator>> Operator::start(OperatorOptions options) {
  GODWIT_ASSIGN(const auto access, findAccess(options));
  std::string ns = options.leaderNamespace;
  if (ns.empty()) ns = environment("POD_NAMESPACE");
  if (ns.empty()) ns = access.ns.empty() ? "default" : access.ns;
  auto made = std::unique_ptr<Operator>(new Operator(std::move(options), std::move(ns)));
  auto& it = *made;
  const kube::HttpApiOptions limited{.requestsPerSecond = it.options_.requestsPerSecond, .burst = it.options_.burst};
  GODWIT_ASSIGN(it.api_, kube::HttpApi::make(access, it.clock_, limited));
  GODWIT_ASSIGN(it.leaseApi_, kube::HttpApi::make(access, it.clock_,
                                                  {.timeout = kLeaseCall, .pauses = 0, .outages = limited.outages}));
  GODWIT_ASSIGN(it.endpoints_, OperatorEndpoints::start(
                                   it.options_.endpoints,
                                   {[raw = &it] { return raw->readiness(); }, [raw = &it] { return raw->metrics(); }},
                                   *it.api_, it.clock_));
  return made;
}

void Operator::run(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { api_->shutDown(); });
  std::jthread housekeeper([this](std::stop_token ending) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    auto pause = kSettled;
    while (
        !never.wait_for(lock, ending, std::exchange(pause, kHousekeeping), [&] { return ending.stop_requested(); })) {
      endpoints_->renew();
      releaseMemory();
    }
  });
  if (!options_.leaderElect) return lead(stop, *api_);
  kube::LeaderElector elector(*leaseApi_, clock_,
                              {.ns = leaseNamespace_, .name = options_.leaseName, .identity = identity(random_)});
  kube::LeadingApi api(*api_, elector);
  while (!elector.run(stop, [&](std::stop_token ending) { lead(ending, api); })) {
  }
}

// True: there is an answer.
bool Operator::askForOpenShift() {
  const auto served = api_->serves(kOpenShiftGroup);
  const bool away = served.is(Errc::Unavailable) || served.is(Errc::Timeout) || served.is(Errc::Cancelled);
  if (!away && !served.ok()) log::warn("operator", "taken for no OpenShift (--openshift): {}", served.error().message);
  std::lock_guard lock(mutex_);
  unanswered_ = away ? served.error().message : "";
  if (!away) openshift_ = served.ok() && *served;
  return !away;
}

// Asked until a server answers, once; nullopt when told to stop.
std::optional<bool> Operator::onOpenShift(const std::stop_token& stop) {
  using Choice = OperatorOptions::OpenShift;
  if (options_.openshift != Choice::Auto) return options_.openshift == Choice::Yes;
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock pause(mutex);
  while (!openshift_ && !askForOpenShift() && !stop.stop_requested()) {
    never.wait_for(pause, stop, kAskAgain, [] { return false; });
  }
  return openshift_;
}

void Operator::lead(std::stop_token stop, kube::Api& api) {
  const auto openshift = onOpenShift(stop);
  if (!openshift) return;
  auto config = options_.controller;
  if (*openshift) config.securityConstraints = options_.securityConstraints;
  const auto fresh = std::make_shared<Term>(api, clock_, random_, config);
  {
    std::lock_guard lock(mutex_);
    term_ = fresh;
  }
  fresh->controller.run(stop);
  std::lock_guard lock(mutex_);
  term_.reset();
}

std::shared_ptr<Operator::Term> Operator::term() const {
  std::lock_guard lock(mutex_);
  return term_;
}

// A replica that waits to lead is ready: a roll-out must not wait for it to lead while its predecessor still does.
// And one namespace that cannot be read does not take the others' operator out of service.
OperatorEndpoints::Readiness Operator::readiness() const {
  if (const auto now = term()) {
    auto trouble = now->controller.waitingFor();
    return {trouble.empty() || now->controller.works(), std::move(trouble)};
  }
  std::lock_guard lock(mutex_);
  return {unanswered_.empty(), unanswered_};
}

std::string Operator::metrics() const {
  const auto now = term();
  std::string out = now ? now->metrics.render() : "";
  out += "# HELP godwit_leader Set to 1 while this replica leads\n# TYPE godwit_leader gauge\n";
  out += fmt::format("godwit_leader {:d}\n", now != nullptr);
  out +=
      "# HELP godwit_api_requests_total Requests to the API server, watches and leases not counted; code 0: no answer\n"
      "# TYPE godwit_api_requests_total counter\n";
  for (const auto& [what, times] : api_->counts()) {
    out += fmt::format("godwit_api_requests_total{{code=\"{}\",resource=\"{}\",verb=\"{}\"}} {}\n", what.status,
                       what.resource, what.verb, times);
  }
  return out;
}

}  // namespace godwit::cli
