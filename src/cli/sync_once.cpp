#include "cli/sync_once.h"

#include <fmt/core.h>

#include "api/meta.h"
#include "base/random.h"
#include "cli/follow.h"

namespace godwit::cli {

namespace {

const auto& kType = kube::resources::kReplicationSources;
constexpr const char* kOurs = "godwit-sync-";     // goes again; left behind by who was killed, by whoever comes next
constexpr const char* kStays = "godwit-manual-";  // instead of a trigger of the user's own
constexpr int kAttempts = 20;  // each but the last has lost against a write of somebody who got on by it

std::string manualOf(const Json& source) {
  return text(source, "spec", "trigger", "manual");
}

// One sync: what the object was before, and the value that asks for it.
class Asked {
 public:
  Asked(kube::Api& api, kube::NamespacedName key) : api_(api), key_(std::move(key)) {}

  // Under the lock of what was read: what is put back later is what was there.
  Result<void> ask() {
    for (int attempt = 1;; ++attempt) {
      GODWIT_ASSIGN(before_, api_.get(kType, key_));
      value_ = (usersOwn() ? kStays : kOurs) + api::formatTime(SystemClock().now()) + "-" + Random().suffix();
      const auto put = api_.patch(kType, key_, locked(before_, {{"manual", value_}}));
      if (put) return {};
      if (!put.is(Errc::Conflict) || attempt == kAttempts) return put.error();
    }
  }

  Result<Json> follow(const SyncOnce& how) const {
    return cli::follow(api_, kType, key_,
                       {.ready = [&](const Json& source) { return text(source, "status", "lastManualSync") == value_; },
                        .tick = how.tick,
                        .obstacle = how.complaint,
                        .timeout = how.timeout,
                        .stop = how.stop});
  }

  // What becomes of a sync that is not waited for any more, for the message.
  Result<std::string> takeBack() {
    for (int attempt = 1;; ++attempt) {
      auto source = api_.get(kType, key_);
      if (source.is(Errc::NotFound)) return std::string("it has been deleted");
      if (!source) return notTakenBack(source.error());
      if (const auto now = manualOf(*source); now != value_)
        return std::string(now == manualOf(before_) ? "" : "somebody else has changed spec.trigger.manual meanwhile");
      if (usersOwn()) return std::string("spec.trigger.manual still asks for the sync, which is not waited for");
      const auto put = api_.patch(kType, key_, locked(*source, asItWas(*source)));
      if (put) return goesOn(*source);
      if (!put.is(Errc::Conflict) || attempt == kAttempts) return notTakenBack(put.error());
    }
  }

 private:
  // To put it back would ask for one more sync.
  bool usersOwn() const {
    const auto manual = manualOf(before_);
    return !manual.empty() && !manual.starts_with(kOurs);
  }

  // A patch of spec.trigger that leaves alone what others have added to it.
  Json asItWas(const Json& source) const {
    const auto spec = before_.find("spec");
    const bool had = spec != before_.end() && spec->contains("trigger");
    if (!had && source.at("spec").at("trigger").size() == 1) return nullptr;
    return {{"manual", nullptr}};
  }

  // The reconciler records a sync's begin under the same lock: it has begun, or it does not.
  static Json locked(const Json& source, Json trigger) {
    return {{"metadata", {{"resourceVersion", text(source, "metadata", "resourceVersion")}}},
            {"spec", {{"trigger", std::move(trigger)}}}};
  }

  // A sync that is on record is finished whatever the trigger has become.
  std::string goesOn(const Json& source) const {
    const auto begun = text(source, "status", "lastSyncStartTime");
    const bool earlier = begun == text(before_, "status", "lastSyncStartTime");
    std::string out = "spec.trigger is again as it was";
    if (!begun.empty()) out += fmt::format("; the sync that began at {} goes on and is not waited for", begun);
    if (begun.empty()) out += "; no sync has begun";
    return earlier ? out + "; the next one comes when spec.trigger says so" : out;
  }

  Error notTakenBack(const Error& why) const {
    return {why.code,
            fmt::format("spec.trigger.manual could not be taken out again and wins over any schedule until it is ({}): "
                        "kubectl -n {} patch replicationsource {} --type merge -p "
                        "'{{\"spec\":{{\"trigger\":{{\"manual\":null}}}}}}'",
                        why.message, key_.ns, key_.name)};
  }

  kube::Api& api_;
  kube::NamespacedName key_;
  Json before_;
  std::string value_;
};

}  // namespace

Result<Json> syncOnce(kube::Api& api, const kube::NamespacedName& key, const SyncOnce& how) {
  Asked asked(api, key);
  const auto stored = asked.ask();
  // A server that did not answer in time may have stored it even so.
  if (!stored && !stored.error().retryable()) return stored.error();
  auto done = stored ? asked.follow(how) : stored.error();
  const auto back = asked.takeBack();
  if (done && !back) return Error{back.error().code, "the sync is done, but " + back.error().message};
  const auto& outcome = back ? *back : back.error().message;
  if (!done && !outcome.empty()) done.error().message += "; " + outcome;
  return done;
}

}  // namespace godwit::cli
