#include "standalone/store_world.h"

#include <fmt/core.h>

namespace godwit::standalone {

using kube::WatchEvent;

std::size_t indexOf(const kube::ResourceType& type) {
  const auto& all = kube::resources::all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i]->plural == type.plural && all[i]->group == type.group) return i;
  }
  return all.size();
}

World::World(std::size_t historyLimit) : objects_(kube::resources::all().size()), historyLimit_(historyLimit) {}

void World::restore(std::size_t type, Object object) {
  auto key = kube::keyOf(*object);
  objects_[type][std::move(key)] = std::move(object);
}

void World::startAt(std::uint64_t version) {
  version_ = forgotten_ = version;
}

void World::apply(Change change) {
  {
    std::lock_guard lock(mutex_);
    auto& objects = objects_[change.type];
    if (change.after) {
      objects[change.key] = change.after;
    } else {
      objects.erase(change.key);
    }
    version_ = change.version;
    history_.push_back(std::move(change));
    while (history_.size() > historyLimit_) {
      forgotten_ = history_.front().version;
      history_.pop_front();
    }
  }
  changed_.notify_all();
}

void World::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

Object World::get(std::size_t type, const kube::NamespacedName& key) const {
  std::lock_guard lock(mutex_);
  const auto it = objects_[type].find(key);
  return it == objects_[type].end() ? nullptr : it->second;
}

World::Snapshot World::list(std::size_t type, const std::string& ns, const kube::NamespacedName& after) const {
  std::lock_guard lock(mutex_);
  Snapshot out{version_, {}};
  const auto& objects = objects_[type];
  for (auto it = objects.upper_bound(std::max(after, kube::NamespacedName{ns, ""})); it != objects.end(); ++it) {
    if (!ns.empty() && it->first.ns != ns) break;
    out.objects.push_back(it->second);
  }
  return out;
}

std::uint64_t World::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}

bool World::remembers(std::uint64_t version) const {
  std::lock_guard lock(mutex_);
  return version >= forgotten_ && version <= version_;
}

// What a change looks like through a selector: an object that stops matching is deleted as far as this watch knows.
static std::optional<WatchEvent> seenThrough(const World::Cursor& cursor, const Change& change) {
  if (change.type != cursor.type || (!cursor.ns.empty() && cursor.ns != change.key.ns)) return std::nullopt;
  const bool was = change.before && cursor.selector.matches(*change.before);
  const bool is = change.after && cursor.selector.matches(*change.after);
  if (is) return WatchEvent{was ? WatchEvent::Type::Modified : WatchEvent::Type::Added, *change.after};
  if (!was) return std::nullopt;
  Json last = change.final ? *change.final : *change.before;
  last["metadata"]["resourceVersion"] = std::to_string(change.version);
  return WatchEvent{WatchEvent::Type::Deleted, std::move(last)};
}

std::optional<WatchEvent> World::scan(Cursor& cursor) const {
  if (history_.empty()) return std::nullopt;
  for (auto at = static_cast<std::size_t>(cursor.version + 1 - history_.front().version); at < history_.size(); ++at) {
    cursor.version = history_[at].version;
    if (auto event = seenThrough(cursor, history_[at])) return event;
  }
  return std::nullopt;
}

Result<std::optional<WatchEvent>> World::next(Cursor& cursor, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (cursor.cancelled) return Error{Errc::Cancelled, "the watch was cancelled"};
    if (cursor.version < forgotten_) {
      return Error{Errc::Gone, fmt::format("too old resource version: {} ({})", cursor.version, forgotten_ + 1)};
    }
    if (auto event = scan(cursor)) return event;
    if (closed_) return Error{Errc::Unavailable, "the store is closing"};
    if (timeout.count() <= 0) return std::optional<WatchEvent>();
    if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) timeout = timeout.zero();
  }
}

void World::cancel(Cursor& cursor) {
  {
    std::lock_guard lock(mutex_);
    cursor.cancelled = true;
  }
  changed_.notify_all();
}

namespace {

class WorldWatch final : public kube::Watch {
 public:
  WorldWatch(std::shared_ptr<World> world, World::Cursor cursor, std::vector<Object> first, bool bookmarks)
      : world_(std::move(world)),
        cursor_(std::move(cursor)),
        first_(first.begin(), first.end()),
        bookmarks_(bookmarks),
        told_(cursor_.version) {}

  Result<std::optional<WatchEvent>> next(std::chrono::milliseconds timeout) override {
    if (!first_.empty()) {
      WatchEvent event{WatchEvent::Type::Added, *first_.front()};
      first_.pop_front();
      return std::optional(std::move(event));
    }
    GODWIT_ASSIGN(auto event, world_->next(cursor_, timeout));
    if (event) told_ = cursor_.version;
    if (!event && bookmarks_ && cursor_.version >= told_ + kBookmarkEvery) event = bookmark();
    return event;
  }

  void cancel() override { world_->cancel(cursor_); }

 private:
  // Others' changes pass unseen: without a word now and then, a quiet watch could not be resumed later.
  static constexpr std::uint64_t kBookmarkEvery = 500;

  WatchEvent bookmark() {
    told_ = cursor_.version;
    const auto& type = *kube::resources::all()[cursor_.type];
    return {WatchEvent::Type::Bookmark,
            {{"kind", type.kind},
             {"apiVersion", type.apiVersion()},
             {"metadata", {{"resourceVersion", std::to_string(told_)}}}}};
  }

  std::shared_ptr<World> world_;
  World::Cursor cursor_;
  std::deque<Object> first_;
  bool bookmarks_;
  std::uint64_t told_;
};

}  // namespace

std::unique_ptr<kube::Watch> openWatch(std::shared_ptr<World> world, World::Cursor cursor, std::vector<Object> first,
                                       bool bookmarks) {
  return std::make_unique<WorldWatch>(std::move(world), std::move(cursor), std::move(first), bookmarks);
}

}  // namespace godwit::standalone
