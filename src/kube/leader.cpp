#include "kube/leader.h"

#include <atomic>
#include <condition_variable>
#include <thread>

#include "base/log.h"

namespace godwit::kube {

namespace {

// metav1.MicroTime, which Lease wants where other objects carry whole seconds.
std::string microTime(TimePoint t) {
  using namespace std::chrono;
  const auto micros = duration_cast<microseconds>(t.time_since_epoch()).count() % 1'000'000;
  auto seconds = api::formatTime(t);
  seconds.pop_back();  // 'Z'
  return fmt::format("{}.{:06}Z", seconds, micros);
}

// One time of leadership. It ends when the time to renew has run out, however long an attempt to renew takes.
class Tenure {
 public:
  Tenure(std::function<void(std::stop_token)> lead, std::function<Duration()> left, std::function<void()> tell)
      : worker_([this, lead = std::move(lead), tell = std::move(tell)](std::stop_token token) {
          lead(token);
          ended_ = true;
          tell();
        }),
        watch_([this, left = std::move(left)](std::stop_token token) { watch(token, left); }) {}
  bool ended() const { return ended_; }
  bool expired() const { return expired_; }

 private:
  void watch(const std::stop_token& token, const std::function<Duration()>& left) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    for (auto time = left(); time > Duration::zero(); time = left()) {
      never.wait_for(lock, token, time, [] { return false; });
      if (token.stop_requested()) return;
    }
    expired_ = true;
    worker_.request_stop();
  }

  std::atomic<bool> ended_{false}, expired_{false};  // the work by itself or when told to; the time
  std::jthread worker_, watch_;
};

}  // namespace

Duration Attempts::pause(const Result<bool>& held, bool leading) {
  constexpr Duration kImpatience = std::chrono::milliseconds(300);
  constexpr int kMost = 8;
  if (held.ok()) return patience_ = 1, retryPeriod_;
  const bool passes = held.error().retryable();
  patience_ = passes ? 1 : std::min(patience_ * 2, kMost);
  return passes || leading ? std::min(retryPeriod_, kImpatience) : retryPeriod_ * patience_;
}

bool Attempts::isNews(const Result<bool>& held) {
  constexpr Duration kAgain = std::chrono::minutes(1);
  if (held.ok()) return said_.clear(), false;
  const auto now = clock_.monotonic();
  if (held.error().message == said_ && now - saidAt_ < kAgain) return false;
  said_ = held.error().message;
  saidAt_ = now;
  return true;
}

LeaderElector::LeaderElector(Api& api, const Clock& clock, LeaderOptions options)
    : api_(api), clock_(clock), options_(std::move(options)) {}

Result<bool> LeaderElector::attempt() {
  auto lease = api_.get(resources::kLeases, {options_.ns, options_.name});
  if (lease.is(Errc::NotFound)) return create();
  if (!lease) return std::move(lease.error());
  const Record record{text(*lease, "spec", "holderIdentity"), text(*lease, "metadata", "resourceVersion"),
                      text(*lease, "spec", "renewTime"), number(0, *lease, "spec", "leaseTransitions"),
                      number(0, *lease, "spec", "leaseDurationSeconds")};
  observe(record);
  if (record.holder == options_.identity || record.holder.empty() || expired(record)) return take(record);
  renewed(std::nullopt);
  return false;
}

Result<bool> LeaderElector::create() {
  const auto at = clock_.monotonic();
  auto made = api_.create(resources::kLeases, {{"apiVersion", "coordination.k8s.io/v1"},
                                               {"kind", "Lease"},
                                               {"metadata", {{"namespace", options_.ns}, {"name", options_.name}}},
                                               {"spec", spec({})}});
  if (made.is(Errc::AlreadyExists)) return false;
  if (!made) return std::move(made.error());
  renewed(at);
  return true;
}

Result<bool> LeaderElector::take(const Record& record) {
  const auto at = clock_.monotonic();  // before the call: the Lease counts from when it was asked for
  const Json patch = {{"metadata", {{"resourceVersion", record.resourceVersion}}}, {"spec", spec(record)}};
  auto written = api_.patch(resources::kLeases, {options_.ns, options_.name}, patch);
  if (written.is(Errc::Conflict)) return false;  // somebody was faster; the next attempt sees who
  if (!written) return std::move(written.error());
  renewed(at);
  return true;
}

Json LeaderElector::spec(const Record& previous) const {
  const auto now = microTime(clock_.now());
  Json spec = {{"holderIdentity", options_.identity},
               {"leaseDurationSeconds", std::chrono::ceil<std::chrono::seconds>(options_.leaseDuration).count()},
               {"renewTime", now},
               {"leaseTransitions", previous.transitions}};
  if (previous.holder != options_.identity) {
    spec["acquireTime"] = now;
    if (!previous.resourceVersion.empty()) spec["leaseTransitions"] = previous.transitions + 1;
  }
  return spec;
}

void LeaderElector::observe(const Record& record) {
  if (record.resourceVersion == seenVersion_) return;
  seenVersion_ = record.resourceVersion;
  seenAt_ = clock_.monotonic();
}

bool LeaderElector::expired(const Record& record) const {
  const auto promised =
      record.durationSeconds > 0 ? Duration(std::chrono::seconds(record.durationSeconds)) : options_.leaseDuration;
  return clock_.monotonic() - seenAt_ > promised;
}

void LeaderElector::renewed(std::optional<Duration> at) {
  std::lock_guard lock(mutex_);
  renewedAt_ = at;
}

Duration LeaderElector::left() const {
  std::lock_guard lock(mutex_);
  return renewedAt_ ? *renewedAt_ + options_.renewDeadline - clock_.monotonic() : Duration::zero();
}

void LeaderElector::release() {
  {
    std::lock_guard lock(mutex_);
    if (!std::exchange(renewedAt_, std::nullopt)) return;
  }
  auto lease = api_.get(resources::kLeases, {options_.ns, options_.name});
  if (!lease || text(*lease, "spec", "holderIdentity") != options_.identity) return;
  const Json patch = {
      {"metadata", {{"resourceVersion", text(*lease, "metadata", "resourceVersion")}}},
      {"spec", {{"holderIdentity", ""}, {"leaseDurationSeconds", 1}, {"renewTime", microTime(clock_.now())}}}};
  if (auto given = api_.patch(resources::kLeases, {options_.ns, options_.name}, patch); !given) {
    log::warn("leader", "the lease could not be given up, the next replica waits for it to run out: {}",
              given.error().message);
  }
}

bool LeaderElector::run(std::stop_token stop, const std::function<void(std::stop_token)>& lead) {
  std::mutex mutex;
  std::condition_variable_any wake;
  const auto tell = [&] {
    std::lock_guard lock(mutex);
    wake.notify_all();
  };
  std::optional<Tenure> tenure;
  const auto over = [&] { return tenure && (tenure->ended() || tenure->expired()); };
  Attempts attempts(clock_, options_.retryPeriod);
  bool lost = false;
  while (!stop.stop_requested() && !over() && !lost) {
    const auto held = attempt();
    if (attempts.isNews(held)) log::warn("leader", "{}", held.error().message);
    lost = tenure && !mayLead();
    if (!tenure && mayLead()) {
      log::info("leader", "{} leads", options_.identity);
      tenure.emplace(
          lead, [this] { return left(); }, tell);
    }
    std::unique_lock lock(mutex);
    const auto pause = attempts.pause(held, tenure.has_value());
    if (!lost) wake.wait_for(lock, stop, std::chrono::nanoseconds(pause), over);
  }
  lost = lost || (tenure && tenure->expired());
  if (lost)
    log::error("leader", "leadership is lost: the lease could not be renewed in time or another replica holds it");
  tenure.reset();  // asks it to stop and joins
  if (!lost) release();
  return !lost;
}

}  // namespace godwit::kube
