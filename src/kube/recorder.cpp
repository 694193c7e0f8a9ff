#include "kube/recorder.h"

#include <fmt/core.h>

#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>

#include "base/log.h"
#include "base/text.h"

namespace godwit::kube {

namespace {

constexpr Duration kSameWithin = std::chrono::minutes(10);
constexpr Duration kRefill = std::chrono::minutes(5);
constexpr double kBurst = 25;
constexpr std::size_t kMessageBytes = 1024, kNameBytes = 200, kRemembered = 1024, kMostWaiting = 1000;

// A map that forgets what was not used for the longest time, so that a long life costs bounded memory.
template <class Value>
class Recent {
 public:
  Value& at(const std::string& key, const Value& fresh) {
    if (const auto it = index_.find(key); it != index_.end()) {
      order_.splice(order_.begin(), order_, it->second);
    } else {
      order_.emplace_front(key, fresh);
      index_[key] = order_.begin();
      if (index_.size() > kRemembered) forgetOldest();
    }
    return order_.front().second;
  }

 private:
  void forgetOldest() {
    index_.erase(order_.back().first);
    order_.pop_back();
  }
  std::list<std::pair<std::string, Value>> order_;
  std::map<std::string, typename std::list<std::pair<std::string, Value>>::iterator> index_;
};

struct Bucket {
  double tokens;
  Duration filled;
};

struct Seen {
  std::string name;  // empty: no such Event on the server yet
  int count = 0;
  Duration last{0};
};

Json referenceOf(const ObjectReference& about) {
  Json out = {{"apiVersion", about.apiVersion}, {"kind", about.kind}, {"name", about.name}};
  if (!about.ns.empty()) out["namespace"] = about.ns;
  if (!about.uid.empty()) out["uid"] = about.uid;
  if (!about.resourceVersion.empty()) out["resourceVersion"] = about.resourceVersion;
  return out;
}

struct Told {
  ObjectReference about;
  const char* type;
  std::string reason, message;
};

// "<object>.<suffix>" within the limits of a DNS subdomain.
std::string eventName(const std::string& object, const std::string& suffix) {
  std::string stem = object.substr(0, kNameBytes);
  while (!stem.empty() && (stem.back() == '.' || stem.back() == '-')) stem.pop_back();
  return stem + "." + suffix;
}

}  // namespace

struct Recorder::Impl {
  Impl(Api& a, const Clock& c, Random& r, std::string who) : api(a), clock(c), random(r), component(std::move(who)) {}

  void record(const ObjectReference& about, const char* type, std::string_view reason, const std::string& message);
  bool allowed(const std::string& object);
  Result<void> count(Seen& seen, const std::string& ns);
  Result<void> create(Seen& seen, const ObjectReference& about, const char* type, std::string_view reason,
                      const std::string& message);

  Api& api;
  const Clock& clock;
  Random& random;
  const std::string component;
  std::mutex mutex;  // also held while writing: the count of one Event must not be raised by two at once
  Recent<Bucket> buckets;
  Recent<Seen> seen;

  std::mutex doorMutex;  // of what follows
  std::condition_variable_any came;
  bool running = false;
  std::deque<Told> waiting;
};

bool Recorder::Impl::allowed(const std::string& object) {
  const Duration now = clock.monotonic();
  Bucket& bucket = buckets.at(object, Bucket{kBurst, now});
  const double gained = static_cast<double>((now - bucket.filled).count()) / static_cast<double>(kRefill.count());
  bucket = {std::min(kBurst, bucket.tokens + gained), now};
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

Result<void> Recorder::Impl::count(Seen& entry, const std::string& ns) {
  const Json patch = {{"count", entry.count}, {"lastTimestamp", api::formatTime(clock.now())}};
  GODWIT_TRY(api.patch(resources::kEvents, {ns, entry.name}, patch));
  return {};
}

Result<void> Recorder::Impl::create(Seen& entry, const ObjectReference& about, const char* type,
                                    std::string_view reason, const std::string& message) {
  const std::string now = api::formatTime(clock.now());
  const std::string ns = about.ns.empty() ? "default" : about.ns;
  const std::string name = eventName(about.name, random.suffix(16));
  const Json event = {{"apiVersion", "v1"},
                      {"kind", "Event"},
                      {"metadata", {{"name", name}, {"namespace", ns}}},
                      {"involvedObject", referenceOf(about)},
                      {"type", type},
                      {"reason", std::string(reason)},
                      {"message", message},
                      {"source", {{"component", component}}},
                      {"reportingComponent", component},
                      {"reportingInstance", component},
                      {"firstTimestamp", now},
                      {"lastTimestamp", now},
                      {"count", 1}};
  GODWIT_TRY(api.create(resources::kEvents, event));
  entry = {name, 1, clock.monotonic()};
  return {};
}

void Recorder::Impl::record(const ObjectReference& about, const char* type, std::string_view reason,
                            const std::string& message) {
  const std::string object = fmt::format("{}/{}/{}/{}", about.kind, about.ns, about.name, about.uid);
  std::lock_guard lock(mutex);
  if (!allowed(object)) return log::debug("kube", "event {} about {} dropped: too many", reason, object);
  Seen& entry = seen.at(fmt::format("{}\n{}\n{}\n{}", object, type, reason, message), {});
  const bool again = !entry.name.empty() && clock.monotonic() - entry.last <= kSameWithin;
  if (again) {
    ++entry.count;
    entry.last = clock.monotonic();
    const auto counted = count(entry, about.ns.empty() ? "default" : about.ns);
    if (counted.ok()) return;
    if (!counted.is(Errc::NotFound))
      return log::warn("kube", "event {} about {}: {}", reason, object, counted.error().message);
  }
  const auto made = create(entry, about, type, reason, message);
  if (!made.ok()) log::warn("kube", "event {} about {}: {}", reason, object, made.error().message);
}

Recorder::Recorder(Api& api, const Clock& clock, Random& random, std::string component)
    : impl_(std::make_unique<Impl>(api, clock, random, std::move(component))) {}
Recorder::~Recorder() = default;

void Recorder::event(const ObjectReference& about, EventType type, std::string_view reason, std::string_view message) {
  Told told{about, type == EventType::Normal ? "Normal" : "Warning", std::string(reason),
            cutUtf8(message, kMessageBytes)};
  {
    std::lock_guard lock(impl_->doorMutex);
    if (impl_->running) {
      if (impl_->waiting.size() >= kMostWaiting) return log::debug("kube", "event {} dropped: too many wait", reason);
      impl_->waiting.push_back(std::move(told));
      return impl_->came.notify_one();
    }
  }
  impl_->record(told.about, told.type, told.reason, told.message);
}

void Recorder::run(std::stop_token stop) {
  std::unique_lock lock(impl_->doorMutex);
  impl_->running = true;
  while (impl_->came.wait(lock, stop, [this] { return !impl_->waiting.empty(); })) {
    const Told told = std::move(impl_->waiting.front());
    impl_->waiting.pop_front();
    lock.unlock();
    impl_->record(told.about, told.type, told.reason, told.message);
    lock.lock();
  }
  impl_->running = false;
}

}  // namespace godwit::kube
