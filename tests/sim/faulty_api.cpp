#include "sim/faulty_api.h"

#include <fmt/core.h>

namespace godwit::sim {

class LateEvents {
 public:
  virtual ~LateEvents() = default;
  virtual std::optional<Duration> due() const = 0;
};

namespace {

class FaultyWatch final : public kube::Watch, public LateEvents {
 public:
  FaultyWatch(std::unique_ptr<kube::Watch> real, FaultyApi& api, std::string_view plural)
      : real_(std::move(real)), api_(api), plural_(plural) {
    api_.watches.insert(this);
  }
  ~FaultyWatch() override { api_.watches.erase(this); }
  FaultyWatch(const FaultyWatch&) = delete;
  FaultyWatch& operator=(const FaultyWatch&) = delete;

  std::optional<Duration> due() const override {
    return pending_.empty() ? std::nullopt : std::optional(pending_.front().due);
  }

  Result<std::optional<kube::WatchEvent>> next(std::chrono::milliseconds) override {
    if (cancelled_) return Error{Errc::Cancelled, "watch cancelled"};
    if (api_.silent.contains(plural_)) return std::optional<kube::WatchEvent>();
    if (api_.chance(api_.faults.breakWatch)) return Error{Errc::Unavailable, "injected: watch broke"};
    if (api_.chance(api_.faults.gone)) return Error{Errc::Gone, "injected: resourceVersion too old"};
    GODWIT_TRY(fetch());
    if (pending_.empty() || pending_.front().due > api_.clock().monotonic()) return std::optional<kube::WatchEvent>();
    auto event = pending_.front().event;
    if (!api_.chance(api_.faults.repeat)) pending_.pop_front();
    return std::optional(std::move(event));
  }
  void cancel() override {
    cancelled_ = true;
    real_->cancel();
  }

 private:
  struct Late {
    Duration due;
    kube::WatchEvent event;
  };
  Result<void> fetch() {
    for (;;) {
      GODWIT_ASSIGN(auto event, real_->next(std::chrono::milliseconds(0)));
      if (!event) return {};
      last_ = std::max(last_,
                       api_.clock().monotonic() +
                           Duration(api_.random().below(static_cast<std::uint64_t>(api_.faults.maxLag.count()) + 1)));
      pending_.push_back({last_, std::move(*event)});
    }
  }
  std::unique_ptr<kube::Watch> real_;
  FaultyApi& api_;
  const std::string plural_;
  std::deque<Late> pending_;
  Duration last_{0};
  bool cancelled_ = false;
};

}  // namespace

std::optional<Duration> FaultyApi::nextDelay() const {
  std::optional<Duration> delay;
  for (const auto* watch : watches) {
    const auto due = watch->due();
    if (!due) continue;
    const auto left = std::max(Duration::zero(), *due - clock_.monotonic());
    delay = std::min(delay.value_or(left), left);
  }
  return delay;
}

bool FaultyApi::chance(double probability) {
  return probability > 0 && random_.unit() < probability;
}

bool FaultyApi::mishapNow(Mishap::Kind kind) {
  if (mishap.happened || mishap.atCall < 0 || mishap.kind != kind || calls <= mishap.atCall) return false;
  return mishap.happened = true;
}

Result<void> FaultyApi::onTheWay(const char* verb, const kube::ResourceType& type) {
  ++calls;
  if (chance(faults.meddle)) meanwhile();
  if (mishapNow(Mishap::Kind::Refused) || chance(faults.refuse))
    return Error{Errc::Unavailable, fmt::format("injected: {} {}: connection refused", verb, type.plural)};
  return {};
}

Result<void> FaultyApi::may(const char* verb, std::string_view what) const {
  if (!forbidden.contains(fmt::format("{} {}", verb, what))) return {};
  return Error{Errc::Forbidden, fmt::format("{} is forbidden: cannot {} resource \"{}\"", what, verb, what)};
}

Result<void> FaultyApi::mayRead(const char* verb, const kube::ResourceType& type, const std::string& ns) const {
  if (!unreadable.contains({std::string(type.plural), ns})) return {};
  return Error{Errc::Forbidden, fmt::format("{} is forbidden: cannot {} resource \"{}\" in the namespace \"{}\"",
                                            type.plural, verb, type.plural, ns)};
}

template <class Act>
auto FaultyApi::write(const char* verb, const kube::ResourceType& type, const kube::NamespacedName& key, Act act)
    -> decltype(act()) {
  const auto number = writes++;
  const bool planned = number == crashAtWrite;
  if ((planned && crashBefore) || chance(faults.crash / 2)) throw Crash{};
  GODWIT_TRY(onTheWay(verb, type));
  if (mishapNow(Mishap::Kind::Conflict) || chance(faults.conflict))
    return Error{Errc::Conflict, fmt::format("injected: {} {}: conflict", verb, type.plural)};
  auto done = act();
  if (&type != &kube::resources::kEvents) {
    trace(fmt::format("{} {} {}: {}", verb, type.kind, key.str(), done.ok() ? "ok" : done.error().message));
  }
  if ((planned && !crashBefore) || chance(faults.crash / 2)) throw Crash{};
  if (mishapNow(Mishap::Kind::AnswerLost) || chance(faults.loseAnswer))
    return Error{Errc::Timeout, fmt::format("injected: {} {}: answer lost", verb, type.plural)};
  return done;
}

Result<Json> FaultyApi::get(const kube::ResourceType& type, const kube::NamespacedName& key) {
  GODWIT_TRY(onTheWay("get", type));
  GODWIT_TRY(may("get", type.plural));
  return real_.get(type, key);
}

Result<kube::List> FaultyApi::list(const kube::ResourceType& type, const kube::ListOptions& options) {
  GODWIT_TRY(onTheWay("list", type));
  GODWIT_TRY(mayRead("list", type, options.ns));
  return real_.list(type, options);
}

Result<std::unique_ptr<kube::Watch>> FaultyApi::watch(const kube::ResourceType& type,
                                                      const kube::WatchOptions& options) {
  GODWIT_TRY(onTheWay("watch", type));
  GODWIT_TRY(mayRead("watch", type, options.ns));
  GODWIT_ASSIGN(auto real, real_.watch(type, options));
  return std::unique_ptr<kube::Watch>(std::make_unique<FaultyWatch>(std::move(real), *this, type.plural));
}

Result<Json> FaultyApi::create(const kube::ResourceType& type, const Json& object) {
  return write("create", type, kube::keyOf(object), [&] { return real_.create(type, object); });
}

Result<Json> FaultyApi::patch(const kube::ResourceType& type, const kube::NamespacedName& key, const Json& mergePatch,
                              kube::Subresource subresource) {
  const auto what = std::string(type.plural) + (subresource == kube::Subresource::Status ? "/status" : "");
  GODWIT_TRY(may("patch", what));
  return write("patch", type, key, [&] { return real_.patch(type, key, mergePatch, subresource); });
}

Result<void> FaultyApi::remove(const kube::ResourceType& type, const kube::NamespacedName& key,
                               const kube::DeleteOptions& options) {
  GODWIT_TRY(may("delete", type.plural));
  return write("delete", type, key, [&] { return real_.remove(type, key, options); });
}

Result<std::string> FaultyApi::logs(const kube::NamespacedName& pod, const kube::LogOptions& options) {
  GODWIT_TRY(onTheWay("logs", kube::resources::kPods));
  GODWIT_TRY(may("get", "pods/log"));
  return real_.logs(pod, options);
}

}  // namespace godwit::sim
