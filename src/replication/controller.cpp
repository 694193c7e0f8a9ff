#include "replication/controller.h"

#include <atomic>
#include <condition_variable>
#include <set>
#include <thread>

#include "api/names.h"
#include "base/log.h"
#include "kube/work_queue.h"
#include "replication/feed.h"
#include "replication/populator.h"
#include "replication/reconciler.h"

namespace godwit::replication {

namespace {

using api::Role;
namespace kinds = kube::resources;

// Keys of the queue: what is to be looked at, and its name.
constexpr const char* kClaim = "claim";
constexpr const char* kRegistration = "registration";
constexpr Duration kKindMayCome = std::chrono::hours(1);  // nobody tells us that its CRD has been installed

std::string keyOf(const std::string& what, const api::NamespacedName& object) {
  return what + "/" + object.ns + "/" + object.name;
}

std::pair<std::string, api::NamespacedName> parseKey(const std::string& key) {
  const auto first = key.find('/'), second = key.find('/', first + 1);
  return {key.substr(0, first), {key.substr(first + 1, second - first - 1), key.substr(second + 1)}};
}

}  // namespace

struct Controller::Impl {
  Impl(kube::Api& a, const Clock& c, Random& r, Metrics& m, ControllerConfig cfg)
      : api(a),
        clock(c),
        random(r),
        config(std::move(cfg)),
        views(c),
        recorder(a, c, r, "godwit"),
        queue(c, r),
        doors{api, clock, recorder, m, config, views} {
    listen();
    follow();
    wakeRegistration();
  }

  // --- who is woken by what ---

  bool serves(const std::string& ns) const {
    return config.namespaces.empty() ||
           std::find(config.namespaces.begin(), config.namespaces.end(), ns) != config.namespaces.end();
  }
  void wake(Role role, const api::NamespacedName& object) {
    if (serves(object.ns)) queue.add(keyOf(api::name(role), object));
  }
  void wakeClaim(const api::NamespacedName& claim) {
    if (config.populator && serves(claim.ns)) queue.add(keyOf(kClaim, claim));
  }
  void wakeRegistration() {
    if (config.populator) queue.add(keyOf(kRegistration, {}));
  }
  void wakeOwner(const api::ObjectMeta& child) {
    const auto* owner = child.controller();
    if (!owner) return;
    if (owner->apiVersion == "v1" && owner->kind == kinds::kPersistentVolumeClaims.kind)
      wakeClaim({child.ns, owner->name});
    if (owner->apiVersion != api::kApiVersion) return;
    for (const auto role : {Role::Source, Role::Destination}) {
      if (owner->kind == api::kindOf(role)) wake(role, {child.ns, owner->name});
    }
  }
  void wakeUsersOf(const api::ObjectMeta& pvc) {
    for (const auto role : {Role::Source, Role::Destination}) {
      for (const auto& user : views.of(role).cache().indexed(pvc.ns, pvc.name)) wake(role, user->meta.key());
    }
  }
  void wakeAllOf(const std::string& ns) {
    for (const auto role : {Role::Source, Role::Destination}) {
      for (const auto& object : views.of(role).cache().list(ns)) wake(role, object->meta.key());
    }
  }
  // Claims that wait for an image of this destination.
  void wakeClaimsOf(const api::NamespacedName& destination) {
    for (const auto& claim : views.pvcs.cache().indexed(destination.ns, destination.name)) {
      if (claim->phase != "Bound") wakeClaim(claim->meta.key());
    }
  }

  template <class T, class Wake>
  void onChange(View<T>& view, Wake wakeFor) {
    view.cache().listen([wakeFor](const T* before, const T* after) {
      if (before && after && before->meta.resourceVersion == after->meta.resourceVersion) return;
      wakeFor(after ? after->meta : before->meta);
    });
  }
  void listen() {
    onChange(views.sources, [this](const api::ObjectMeta& meta) { wake(Role::Source, meta.key()); });
    onChange(views.destinations, [this](const api::ObjectMeta& meta) {
      wake(Role::Destination, meta.key());
      wakeClaimsOf(meta.key());
    });
    const auto owner = [this](const api::ObjectMeta& meta) { wakeOwner(meta); };
    onChange(views.jobs, owner);
    onChange(views.snapshots, [this](const api::ObjectMeta& meta) {
      wakeOwner(meta);
      if (const auto* by = meta.controller())
        wakeClaimsOf({meta.ns, by->name});  // nothing is made from one that is gone
    });
    views.namespaces.cache().listen([this](const Named* before, const Named* after) {
      if (after && (before ? before->meta.annotations : api::StringMap()) != after->meta.annotations)
        wakeAllOf(after->meta.name);
    });
    onChange(views.services, owner);
    onChange(views.secrets, owner);
    onChange(views.accounts, owner);
    onChange(views.roles, owner);
    onChange(views.roleBindings, owner);
    onChange(views.pvcs, [this](const api::ObjectMeta& meta) {
      wakeOwner(meta);
      wakeUsersOf(meta);
      if (const auto claim = views.pvcs.get(meta.key()); claim && !claim->filledFrom.empty()) wakeClaim(meta.key());
    });
    onChange(views.pods, [this](const api::ObjectMeta& meta) {
      const auto* job = meta.controller();
      const auto of = job ? views.jobs.get({meta.ns, job->name}) : nullptr;
      of ? wakeOwner(of->meta) : wakeNamed(meta);
    });
  }
  // A mover without its Job: an object of that name may wait for its end.
  void wakeNamed(const api::ObjectMeta& pod) {
    const auto label = pod.label("app.kubernetes.io/name");
    for (const auto role : {Role::Source, Role::Destination}) {
      for (const auto& object : views.of(role).cache().list(pod.ns)) {
        if (api::podNameLabel(role, object->meta.name) == label) wake(role, object->meta.key());
      }
    }
  }

  void follow() {
    const std::set<std::string> served(config.namespaces.begin(), config.namespaces.end());
    for (const auto& ns : served) scopes.push_back(std::make_unique<Scope>(ns));
    if (served.empty()) scopes.push_back(std::make_unique<Scope>(""));
    const std::string ours = std::string(api::kCreatedByLabel) + "=" + api::kCreatedByValue;
    const std::string movers = std::string(kComponentLabel) + "=" + kComponentValue;
    add(kinds::kReplicationSources, views.sources, "");
    add(kinds::kReplicationDestinations, views.destinations, "");
    add(kinds::kPersistentVolumeClaims, views.pvcs, "");
    add(kinds::kNamespaces, views.namespaces, "");
    add(kinds::kJobs, views.jobs, ours);
    add(kinds::kPods, views.pods, movers);
    add(kinds::kVolumeSnapshots, views.snapshots, ours);
    add(kinds::kServices, views.services, ours);
    add(kinds::kSecrets, views.secrets, ours);
    add(kinds::kServiceAccounts, views.accounts, ours);
    if (config.securityConstraints.empty()) return;
    add(kinds::kRoles, views.roles, ours);
    add(kinds::kRoleBindings, views.roleBindings, ours);
  }
  // One feed for all namespaces, or one for each that is served: who may read only those is asked for no more.
  template <class T>
  void add(const kube::ResourceType& type, View<T>& view, const std::string& labels) {
    for (const auto& scope : scopes) {
      kube::WatchOptions options;
      options.labelSelector = labels;
      const bool itself = !type.namespaced && !scope->ns.empty();  // the namespace
      if (itself) options.fieldSelector = "metadata.name=" + scope->ns;
      if (type.namespaced) options.ns = scope->ns;
      auto sink = itself ? view.cache().one({"", scope->ns}) : view.cache().part(scope->ns);
      feeds.push_back(std::make_unique<Feed>(api, type, scope->ns, std::move(options), std::move(sink)));
      scope->feeds.push_back(feeds.back().get());
    }
  }
  // Null: that of no object.
  Scope* scopeOf(const std::string& ns) const {
    for (const auto& scope : scopes) {
      if (scope->ns.empty() || scope->ns == ns) return scope.get();
    }
    return nullptr;
  }

  // --- work ---

  Next registration() {
    const auto done = registerPopulator(api);
    if (!done)
      log::warn("replication", "claims are filled, but the cluster is not told who does it: {}", done.error().message);
    Next next{.backOff = !done};
    if (done.ok() && !*done) next.wakeAt = clock.now() + kKindMayCome;
    return next;
  }

  // One namespace at least.
  bool workable() const {
    return std::any_of(scopes.begin(), scopes.end(), [](const auto& scope) { return scope->workable(); });
  }
  std::string troubles() const {
    std::string out;
    for (const auto& scope : scopes) {
      if (const auto trouble = scope->troubles(); !trouble.empty()) out += (out.empty() ? "" : "; ") + trouble;
    }
    return out;
  }
  void wakeAll(const Scope& scope) {
    wakeAllOf(scope.ns);
    if (scope.ns.empty()) wakeRegistration();
    for (const auto& claim : views.pvcs.cache().list(scope.ns)) {
      if (!claim->filledFrom.empty()) wakeClaim(claim->meta.key());
    }
  }

  // Also a refusal opens something: what is held waits to hear of it.
  void stepped(Feed& feed, bool well) {
    if (well && feed.succeeded()) queue.retryFailed();
    auto* scope = scopeOf(feed.ns);
    if (scope->opened()) wakeAll(*scope);
  }
  Next refuse(const std::string& what, const api::NamespacedName& object, const Scope& scope) {
    if (what == kClaim || what == kRegistration) return {};
    return replication::refuse(doors, what == api::name(Role::Source) ? Role::Source : Role::Destination, object,
                               scope.troubles());
  }

  Next look(const std::string& key) {
    const auto [what, object] = parseKey(key);
    if (auto* scope = scopeOf(object.ns)) {
      if (scope->holds()) return {};
      if (scope->blocked()) return refuse(what, object, *scope);
    }
    if (what == kClaim) return populate(doors, object);
    if (what == kRegistration) return registration();
    return reconcile(doors, what == api::name(Role::Source) ? Role::Source : Role::Destination, object);
  }
  void process(const std::string& key) {
    const Next next = look(key);
    if (next.backOff) {
      queue.addRateLimited(key);
    } else {
      queue.forget(key);
    }
    if (next.again) queue.add(key);
    if (next.wakeAt) queue.addAfter(key, std::max(Duration{0}, *next.wakeAt - clock.now()));
    queue.done(key);
  }

  void followLoop(Feed& feed, const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto moved = feed.reflector.step(std::chrono::seconds(30));
      Duration pause{0};
      if (!moved.ok() && !moved.is(Errc::Cancelled)) pause = feed.failed(moved.error(), random);
      stepped(feed, moved.ok());
      std::unique_lock lock(mutex);
      progress.notify_all();
      if (pause > Duration{0}) paused.wait_for(lock, stop, pause, [] { return false; });
    }
  }
  void workLoop(const std::stop_token& stop) {
    {
      std::unique_lock lock(mutex);
      if (!progress.wait(lock, stop, [this] { return workable(); })) return;
    }
    std::call_once(told, [this] {
      if (whenReady) whenReady();
    });
    while (const auto key = queue.get()) process(*key);
  }

  kube::Api& api;
  const Clock& clock;
  Random& random;
  const ControllerConfig config;
  Views views;
  kube::Recorder recorder;
  kube::WorkQueue queue;
  Doors doors;
  std::vector<std::unique_ptr<Scope>> scopes;
  std::vector<std::unique_ptr<Feed>> feeds;
  std::mutex mutex;
  std::condition_variable_any progress, paused;
  std::function<void()> whenReady;
  std::once_flag told;
};

Controller::Controller(kube::Api& api, const Clock& clock, Random& random, Metrics& metrics, ControllerConfig config)
    : impl_(std::make_unique<Impl>(api, clock, random, metrics, std::move(config))) {}
Controller::~Controller() = default;

void Controller::run(std::stop_token stop) {
  std::vector<std::jthread> threads;
  for (auto& feed : impl_->feeds) {
    threads.emplace_back([this, &feed = *feed, stop] { impl_->followLoop(feed, stop); });
  }
  for (int i = 0; i < std::max(1, impl_->config.workers); ++i) {
    threads.emplace_back([this, stop] { impl_->workLoop(stop); });
  }
  threads.emplace_back([this, stop] { impl_->recorder.run(stop); });
  const std::stop_callback end(stop, [this] {
    for (auto& feed : impl_->feeds) feed->reflector.cancel();
    impl_->queue.shutDown();
  });
  for (auto& thread : threads) thread.join();
}

void Controller::whenReady(std::function<void()> tell) {
  impl_->whenReady = std::move(tell);
}

std::string Controller::waitingFor() const {
  return impl_->troubles();
}

bool Controller::works() const {
  return std::any_of(impl_->scopes.begin(), impl_->scopes.end(),
                     [](const auto& scope) { return scope->troubles().empty(); });
}

bool Controller::pump() {
  bool any = false;
  for (auto& feed : impl_->feeds) {
    while (impl_->clock.monotonic() >= feed->retryAt) {
      const auto moved = feed->reflector.step(std::chrono::milliseconds(0));
      if (!moved.ok()) feed->retryAt = impl_->clock.monotonic() + feed->failed(moved.error(), impl_->random);
      impl_->stepped(*feed, moved.ok());
      if (!moved.ok()) break;
      if (*moved == kube::Reflector::Moved::Idle) break;
      any = true;
    }
  }
  return any;
}

bool Controller::stepOne() {
  if (!impl_->workable()) return false;
  const auto key = impl_->queue.tryGet();
  if (!key) return false;
  impl_->process(*key);
  return true;
}

std::optional<Duration> Controller::nextDelay() const {
  auto delay = impl_->workable() ? impl_->queue.nextDelay() : std::nullopt;
  for (const auto& feed : impl_->feeds) {
    if (feed->retryAt <= impl_->clock.monotonic()) continue;
    const Duration until = feed->retryAt - impl_->clock.monotonic();
    delay = delay ? std::min(*delay, until) : until;
  }
  return delay;
}

}  // namespace godwit::replication
