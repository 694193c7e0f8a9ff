#include "replication/reconciler.h"

#include <fmt/ranges.h>

#include "base/log.h"
#include "replication/cleanup.h"
#include "replication/report.h"
#include "replication/state.h"

namespace godwit::replication {

namespace {

// The draft in `pass.object.status` against what the server has.
class Reconcile {
 public:
  Reconcile(Doors& doors, const Watched& watched, TimePoint now)
      : pass_{doors, watched, {}, "", std::nullopt, {}, {}},
        written_(watched.status),
        problem_(watched.problem),
        nonsense_(watched.nonsense) {
    pass_.world.now = now;
    pass_.publish = [this]() -> Result<void> {
      reportSyncing(pass_.object, pass_.note, this->now());
      return flush();
    };
    pass_.confirm = [this] { return confirm(); };
  }

  // Says why nothing can be done for the object. Whoever knows that it can again wakes it.
  Next refuse(const std::string& why) {
    if (!serves()) return {};
    return fail({why, false});
  }

  Next run() {
    if (!serves()) {
      pass_.doors.metrics.forget(role(), key());
      return {};
    }
    pass_.look();
    if (const auto kept = letGoOfKeptImage(pass_); !kept) return fail({kept.error().message});
    if (const auto refusal = adoptionRefusal(pass_.object); !refusal.empty()) {
      reportAdoptionRefusal(pass_.object, refusal, now());
      return end({});
    }
    if (const auto wrong = specErrors(); !wrong.empty()) return fail({wrong, false});
    const auto when = timing(pass_.object.spec, pass_.object.status, now(), pass_.doors.config.timeZone);
    if (!when) return fail({when.error().message, false});
    timing_ = *when;
    pass_.doors.metrics.outOfSync(role(), key(), !pass_.object.status.lastSyncTime || timing_.missed);
    if (timing_.deadline && !timing_.missed) pass_.wake(*timing_.deadline + std::chrono::seconds(1));
    return std::visit([this](const auto& state) { return in(state); }, stateOf(pass_.object.status));
  }

 private:
  TimePoint now() const { return pass_.world.now; }
  api::Role role() const { return pass_.object.role; }
  api::NamespacedName key() const { return pass_.object.meta.key(); }

  // Objects of other movers are left to whoever serves them; where nobody has said anything yet, we say why we do not.
  bool serves() const {
    const auto& spec = pass_.object.spec;
    if (pass_.object.meta.deletionTimestamp) return false;  // children go with their owner
    if (spec.external && !spec.rsync) return false;
    const bool oneOfOurs = spec.rsync && spec.foreignMovers.empty() && !spec.external;
    if (oneOfOurs || !problem_.empty()) return true;
    if (pass_.doors.config.foreignMovers == ControllerConfig::ForeignMovers::Ignore) return false;
    const auto* said = pass_.object.status.condition("Synchronizing");
    return !said || said->observedGeneration > 0;  // VolSync does not fill that in
  }

  std::string specErrors() const {
    if (!problem_.empty()) return problem_;
    std::string out;
    for (const auto& error : api::validate(pass_.object)) {
      out += (out.empty() ? "" : "; ") + error.field + ": " + error.message;
    }
    if (out.empty() && !pass_.object.spec.rsync) return "spec.rsync: missing; it is the mover that Godwit serves";
    return out;
  }

  Next in(const Initial&) {
    if (!pass_.object.spec.paused) return role() == api::Role::Destination ? introduce() : start();
    for (const auto& step : publishing()) {
      auto outcome = step.run(pass_);
      if (const auto* failure = std::get_if<Failure>(&outcome)) return fail(*failure);
    }
    reportIdle(pass_.object, pass_.note, now());
    return end({});
  }

  Next start() {
    if (auto refused = begin()) return *refused;
    return in(Synchronizing{*pass_.object.status.lastSyncStartTime});
  }

  // People carry a new destination's keys to the other end: of many, each has its keys before any has the rest.
  Next introduce() {
    if (auto refused = begin()) return *refused;
    (void)stepKeys(pass_);  // what fails is told when its turn comes
    return {.again = true};
  }

  // The iteration is on record; nothing: go on.
  std::optional<Next> begin() {
    if (const auto started = startSync(pass_.object.status, now()); !started) return fail({started.error().message});
    pass_.object.status.nextSyncTime = timing_.next;
    reportSyncing(pass_.object, "", now());
    if (const auto written = flush(); !written) return retry(written.error());
    return std::nullopt;
  }

  Next in(const Synchronizing&) {
    for (const auto& step : steps()) {
      auto outcome = step.run(pass_);
      if (const auto* failure = std::get_if<Failure>(&outcome)) return fail(*failure);
      if (const auto* wait = std::get_if<Wait>(&outcome)) {
        log::debug("replication", "{} {}: {}: {}", api::name(role()), key().str(), step.name, wait->reason);
        reportSyncing(pass_.object, pass_.note, now());
        return end({});
      }
    }
    return finish();
  }

  // The image is complete: publish, and only then clean up.
  Next finish() {
    auto& status = pass_.object.status;
    recordManual();
    status.latestMoverStatus = moverOutcome(pass_, true);
    const auto took = finishSync(status, now());
    if (!took) return fail({took.error().message});
    const auto after = timing(pass_.object.spec, status, now(), pass_.doors.config.timeZone);
    status.nextSyncTime = after ? after->next : std::nullopt;
    const bool missed = std::exchange(timing_, after ? *after : Timing{}).missed;
    reportFinished();
    if (const auto written = flush(); !written) return retry(written.error());
    finished_ = true;
    auto& metrics = pass_.doors.metrics;
    if (missed) metrics.missedInterval(role(), key());
    metrics.syncTook(role(), key(), *took);
    metrics.outOfSync(role(), key(), false);
    pass_.wakeAt.reset();
    pass_.note.clear();
    return in(CleaningUp{*status.lastSyncTime});
  }

  // The clean-up that follows seldom needs more than this pass, so the status says already what will be true after it.
  void reportFinished() {
    const std::string remark = remarks(pass_);
    const bool atOnce = timing_.due && !pass_.object.spec.paused;
    atOnce ? reportCleaningUp(pass_.object, remark, now()) : reportIdle(pass_.object, remark, now());
  }

  // A source answers for the value its copy was made for; a destination for the one it had when the data had arrived,
  // which its image tells.
  void recordManual() {
    std::string value = manualTrigger(pass_.object);
    const auto& world = pass_.world;
    const api::ObjectMeta* witness = nullptr;
    if (role() == api::Role::Source && world.job) witness = &world.job->meta;
    if (role() == api::Role::Destination && world.image && !pass_.object.spec.rsync->direct())
      witness = &world.image->meta;
    if (witness && witness->annotations.contains(kForManualAnnotation))
      value = witness->annotation(kForManualAnnotation);
    pass_.object.status.lastManualSync = value.empty() ? std::nullopt : std::optional(value);
  }

  Next in(const CleaningUp&) {
    auto outcome = cleanUp(pass_);
    if (const auto* failure = std::get_if<Failure>(&outcome)) return fail(*failure);
    if (std::holds_alternative<Wait>(outcome)) {
      reportCleaningUp(pass_.object, pass_.note, now());
      return end({});
    }
    if (pass_.object.spec.paused || !timing_.due) return idle();
    if (finished_) return end({.again = true});  // others have their turn first
    pass_.look();
    return start();
  }

  Next idle() {
    auto& status = pass_.object.status;
    status.nextSyncTime = timing_.next;
    if (triggerKind(pass_.object.spec) != TriggerKind::Manual) status.lastManualSync.reset();
    reportIdle(pass_.object, std::nullopt, now());
    if (timing_.next && !pass_.object.spec.paused) pass_.wake(*timing_.next);
    return end({});
  }

  Next fail(const Failure& failure) {
    log::warn("replication", "{} {}: {}", api::name(role()), key().str(), failure.message);
    reportError(pass_.object, failure.message, now());
    // An event for what is new in the condition, once it is there: what passes by itself is not worth one.
    const auto* was = written_.condition("Synchronizing");
    const bool news = !was || was->message != failure.message;
    const Next next = end({.backOff = failure.retryable});
    const auto* is = written_.condition("Synchronizing");
    if (news && is && is->message == failure.message)
      pass_.tell(kube::EventType::Warning, "ReconcileError", failure.message);
    return next;
  }

  // Most of it passes. A right that is missing does not, and where it is the one to write the status, only the log and
  // an event can say so.
  Next retry(const Error& error) {
    if (error.code == Errc::Forbidden) {
      log::warn("replication", "{} {}: {}", api::name(role()), key().str(), error.message);
      pass_.tell(kube::EventType::Warning, "ReconcileError", error.message);
    } else {
      log::debug("replication", "{} {}: {}", api::name(role()), key().str(), error.message);
    }
    return {.backOff = true, .wakeAt = pass_.wakeAt};
  }

  Next end(Next next) {
    if (const auto written = flush(); !written) return retry(written.error());
    next.wakeAt = pass_.wakeAt;
    return next;
  }

  // Writes what differs, under the optimistic lock of what was read. NotFound: the object is gone, and that is fine.
  Result<void> flush() {
    Json patch = api::statusPatch(written_, pass_.object.status);
    for (const auto& field : nonsense_) patch.emplace(field, nullptr);  // unless it has a value of ours now
    if (patch.empty()) return {};
    const Json body = {{"metadata", {{"resourceVersion", pass_.object.meta.resourceVersion}}},
                       {"status", std::move(patch)}};
    const auto stored = pass_.doors.api.patch(kube::resources::of(role()), key(), body, kube::Subresource::Status);
    if (stored.is(Errc::NotFound)) {
      pass_.doors.views.of(role()).removed(pass_.object.meta);
      return {};
    }
    if (stored.is(Errc::Conflict)) catchUp();
    if (!stored) return stored.error();
    pass_.doors.views.of(role()).wrote(*stored);
    tellOfNonsense();
    pass_.object.meta.resourceVersion = text(*stored, "metadata", "resourceVersion");
    written_ = pass_.object.status;
    confirmed_ = true;
    return {};
  }

  // Nobody but an operator should write the status: whoever did should know that it does not stay.
  void tellOfNonsense() {
    if (nonsense_.empty()) return;
    pass_.tell(kube::EventType::Warning, "StatusRepaired",
               fmt::format("removed from the status, where it made no sense: {}; do not edit the status by hand",
                           fmt::join(nonsense_, ", ")));
    nonsense_.clear();
  }

  Result<void> confirm() {
    if (confirmed_) return {};
    const auto current = pass_.doors.api.get(kube::resources::of(role()), key());
    auto& view = pass_.doors.views.of(role());
    if (current.is(Errc::NotFound)) view.removed(pass_.object.meta);
    if (!current) return current.error();
    view.wrote(*current);
    if (text(*current, "metadata", "resourceVersion") != pass_.object.meta.resourceVersion) {
      return Error{Errc::Conflict, fmt::format("{} {} has changed meanwhile", api::kindOf(role()), key().str())};
    }
    confirmed_ = true;
    return {};
  }

  // The watch is late: without this, every event of a child would run into the same conflict until it arrives, making
  // children anew for an object that may be gone.
  void catchUp() {
    auto& view = pass_.doors.views.of(role());
    const auto current = pass_.doors.api.get(kube::resources::of(role()), key());
    if (current.ok()) view.wrote(*current);
    if (current.is(Errc::NotFound)) view.removed(pass_.object.meta);
  }

  Pass pass_;
  api::ReplicationStatus written_;
  std::string problem_;
  std::vector<std::string> nonsense_;
  Timing timing_;
  bool finished_ = false;
  bool confirmed_ = false;  // the server has just said that the object is what this pass took it for
};

}  // namespace

Next refuse(Doors& doors, api::Role role, const api::NamespacedName& key, const std::string& why) {
  const auto watched = doors.views.of(role).get(key);
  return watched ? Reconcile(doors, *watched, doors.clock.now()).refuse(why) : Next{};
}

Next reconcile(Doors& doors, api::Role role, const api::NamespacedName& key) {
  const auto watched = doors.views.of(role).get(key);
  if (!watched) {
    doors.metrics.forget(role, key);
    return {};
  }
  return Reconcile(doors, *watched, doors.clock.now()).run();
}

}  // namespace godwit::replication
