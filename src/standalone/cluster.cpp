#include "standalone/cluster.h"

#include <charconv>
#include <condition_variable>
#include <thread>

#include "base/log.h"

namespace godwit::standalone {

namespace {

std::int64_t versionOf(const Json& object) {
  const auto value = text(object, "metadata", "resourceVersion");
  std::int64_t out = 0;
  std::from_chars(value.data(), value.data() + value.size(), out);
  return out;
}

}  // namespace

Object Mirror::get(const kube::NamespacedName& key) const {
  std::lock_guard lock(mutex_);
  const auto it = objects_.find(key);
  return it == objects_.end() ? nullptr : it->second;
}

std::vector<Object> Mirror::list() const {
  std::lock_guard lock(mutex_);
  std::vector<Object> out;
  out.reserve(objects_.size());
  for (const auto& [key, object] : objects_) out.push_back(object);
  return out;
}

void Mirror::wrote(const Json& object) {
  std::lock_guard lock(mutex_);
  if (versionOf(object) > seen_) objects_[kube::keyOf(object)] = std::make_shared<const Json>(object);
}

void Mirror::page(const std::vector<Json>& items) {
  for (const auto& item : items) listed_.insert_or_assign(kube::keyOf(item), std::make_shared<const Json>(item));
}

void Mirror::finish(const std::string&) {
  std::lock_guard lock(mutex_);
  objects_ = std::exchange(listed_, {});
  for (const auto& [key, object] : objects_) seen_ = std::max(seen_, versionOf(*object));
}

void Mirror::upsert(const Json& object) {
  std::lock_guard lock(mutex_);
  const auto version = versionOf(object);
  seen_ = std::max(seen_, version);
  auto& slot = objects_[kube::keyOf(object)];
  if (!slot || versionOf(*slot) <= version) slot = std::make_shared<const Json>(object);
}

void Mirror::erase(const Json& object) {
  std::lock_guard lock(mutex_);
  const auto version = versionOf(object);
  seen_ = std::max(seen_, version);
  const auto it = objects_.find(kube::keyOf(object));
  // A successor of the same name may have been written by us already.
  if (it != objects_.end() && versionOf(*it->second) <= version) objects_.erase(it);
}

struct Cluster::Followed {
  Followed(kube::Api& api, const kube::ResourceType& kind) : type(kind), reflector(api, kind, {}, mirror) {}
  const kube::ResourceType& type;
  Mirror mirror;
  kube::Reflector reflector;
};

Cluster::Cluster(kube::Api& api) : api_(api) {
  namespace r = kube::resources;
  for (const auto* type : {&r::kPersistentVolumeClaims, &r::kPersistentVolumes, &r::kStorageClasses,
                           &r::kVolumeSnapshots, &r::kVolumeSnapshotContents, &r::kVolumeSnapshotClasses, &r::kJobs,
                           &r::kPods, &r::kServices, &r::kReplicationDestinations}) {
    kinds_.push_back(std::make_unique<Followed>(api, *type));
  }
}

Cluster::~Cluster() = default;

Cluster::Followed* Cluster::followed(const kube::ResourceType& type) const {
  for (const auto& kind : kinds_) {
    if (&kind->type == &type) return kind.get();
  }
  return nullptr;
}

Object Cluster::get(const kube::ResourceType& type, const kube::NamespacedName& key) const {
  const auto* kind = followed(type);
  return kind ? kind->mirror.get(key) : nullptr;
}

std::vector<Object> Cluster::list(const kube::ResourceType& type) const {
  const auto* kind = followed(type);
  return kind ? kind->mirror.list() : std::vector<Object>{};
}

Result<bool> Cluster::patch(const kube::ResourceType& type, const Json& object, const Json& mergePatch,
                            kube::Subresource subresource) {
  Json after = object;
  godwit::mergePatch(after, mergePatch);
  if (after == object) return false;
  // An object of the same name that replaced this one must not inherit what was meant for it.
  Json guarded = mergePatch;
  guarded["metadata"]["uid"] = text(object, "metadata", "uid");
  GODWIT_ASSIGN(const Json stored, api_.patch(type, kube::keyOf(object), guarded, subresource));
  if (auto* kind = followed(type)) kind->mirror.wrote(stored);
  return true;
}

Result<Json> Cluster::create(const kube::ResourceType& type, const Json& object) {
  GODWIT_ASSIGN(Json stored, api_.create(type, object));
  if (auto* kind = followed(type)) kind->mirror.wrote(stored);
  return stored;
}

Result<bool> Cluster::remove(const kube::ResourceType& type, const Json& object) {
  kube::DeleteOptions options;
  options.uid = text(object, "metadata", "uid");
  const auto version = text(object, "metadata", "resourceVersion");
  if (const auto it = asked_.find(options.uid); it != asked_.end() && it->second == version) return false;
  auto removed = api_.remove(type, kube::keyOf(object), options);
  if (removed.is(Errc::NotFound)) return false;
  if (!removed.ok()) return std::move(removed.error());
  constexpr std::size_t kRemembered = 1000;  // the mirror is never that far behind
  if (asked_.size() >= kRemembered) asked_.clear();
  asked_[options.uid] = version;
  return true;
}

Result<std::optional<Json>> Cluster::fresh(const kube::ResourceType& type, const kube::NamespacedName& key) {
  auto object = api_.get(type, key);
  if (object.is(Errc::NotFound)) return std::optional<Json>();
  if (!object.ok()) return std::move(object.error());
  return std::optional<Json>(std::move(*object));
}

bool Cluster::synced() const {
  return std::all_of(kinds_.begin(), kinds_.end(), [](const auto& kind) { return kind->reflector.synced(); });
}

bool Cluster::pump() {
  bool any = false;
  for (const auto& kind : kinds_) {
    for (;;) {
      const auto moved = kind->reflector.step(std::chrono::milliseconds(0));
      if (!moved.ok() || *moved == kube::Reflector::Moved::Idle) break;
      any = true;
    }
  }
  return any;
}

namespace {

// Waits `delay`, or less when asked to stop.
void pause(std::stop_token stop, Duration delay) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, delay, [] { return false; });
}

void follow(kube::Reflector& reflector, std::string_view plural, std::stop_token stop,
            const std::function<void()>& changed) {
  constexpr Duration kFirst = std::chrono::milliseconds(50), kMost = std::chrono::seconds(5);
  const std::stop_callback cancel(stop, [&] { reflector.cancel(); });
  Duration delay = kFirst;
  while (!stop.stop_requested()) {
    const auto moved = reflector.step(std::chrono::minutes(5));
    if (moved.ok()) {
      delay = kFirst;
      if (*moved == kube::Reflector::Moved::Done) changed();
      continue;
    }
    if (moved.is(Errc::Cancelled) || stop.stop_requested()) return;
    log::warn("standalone", "following {}: {}", plural, moved.error().message);
    pause(stop, delay);
    delay = std::min(delay * 2, kMost);
  }
}

}  // namespace

void Cluster::run(std::stop_token stop, const std::function<void()>& changed) {
  std::vector<std::jthread> threads;
  threads.reserve(kinds_.size());
  for (const auto& kind : kinds_) {
    threads.emplace_back([&, one = kind.get()] { follow(one->reflector, one->type.plural, stop, changed); });
  }
}

}  // namespace godwit::standalone
