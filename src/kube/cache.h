// An informer's store of typed, trimmed objects, and the reflector that keeps it equal to the server.
// Objects are immutable and shared: a reader keeps what it got while the cache moves on.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"

namespace godwit::kube {

// What a Reflector feeds. Called from one thread at a time. A list comes page by page, so that nobody ever holds all of
// it as JSON.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void begin() = 0;  // a list begins; pages of one that was not finished are forgotten
  virtual void page(const std::vector<Json>& items) = 0;
  virtual void finish(const std::string& version) = 0;  // those pages are everything there was at this resourceVersion
  virtual void upsert(const Json& object) = 0;
  virtual void erase(const Json& object) = 0;
};

template <class T>
class Cache final : public Sink {
 public:
  using Trim = std::function<T(const Json&)>;
  // Told after the cache has changed: old (nullptr when new), new (nullptr when deleted).
  using Listener = std::function<void(const T* before, const T* after)>;

  // Namespace and value by which objects are looked up; an empty value: not by this one. Views into the object.
  using Index = std::function<std::pair<std::string_view, std::string_view>(const T&)>;

  explicit Cache(Trim trim, Index index = {})
      : trim_(std::move(trim)), index_(std::move(index)), indexed_(Before{index_}) {}
  Cache(const Cache&) = delete;
  void listen(Listener listener) { listeners_.push_back(std::move(listener)); }  // before the reflector starts
  // Told after a list, and after the listeners: of what, and its resourceVersion. One at most, before the reflector
  // starts.
  using Listed = std::function<void(const NamespacedName& scope, const std::string& version)>;
  void whenListed(Listed told) { listed_ = std::move(told); }
  // Listeners hear of an object that this cache has never seen, and that is gone.
  void tellGone(const T& object) const { tell(&object, nullptr); }
  // Sinks for what is followed apart: the objects of one namespace (empty: of all), or one object.
  std::unique_ptr<Sink> part(const std::string& ns) { return std::make_unique<Part>(*this, NamespacedName{ns, ""}); }
  std::unique_ptr<Sink> one(const NamespacedName& key) { return std::make_unique<Part>(*this, key); }

  // A scope is a namespace, a name, both, or neither: everything. Keys within one follow each other.
  static bool within(const NamespacedName& scope, const NamespacedName& key) {
    return (scope.ns.empty() || scope.ns == key.ns) && (scope.name.empty() || scope.name == key.name);
  }

  std::shared_ptr<const T> get(const NamespacedName& key) const {
    std::shared_lock lock(mutex_);
    const auto it = objects_.find(key);
    return it == objects_.end() ? nullptr : it->second;
  }
  std::vector<std::shared_ptr<const T>> list(const std::string& ns = {}) const {
    std::shared_lock lock(mutex_);
    std::vector<std::shared_ptr<const T>> out;
    const NamespacedName scope{ns, ""};
    for (auto it = objects_.lower_bound(scope); it != objects_.end() && within(scope, it->first); ++it)
      out.push_back(it->second);
    return out;
  }
  // Those whose index says so, in no order.
  std::vector<std::shared_ptr<const T>> indexed(std::string_view ns, std::string_view value) const {
    std::shared_lock lock(mutex_);
    const auto [from, to] = indexed_.equal_range(std::pair(ns, value));
    return {from, to};
  }
  std::size_t size() const {
    std::shared_lock lock(mutex_);
    return objects_.size();
  }

  void begin() override { whole_.begin(); }
  void page(const std::vector<Json>& items) override { whole_.page(items); }
  void finish(const std::string& version) override { whole_.finish(version); }
  void upsert(const Json& object) override {
    auto fresh = std::make_shared<const T>(trim_(object));
    std::shared_ptr<const T> old;
    {
      std::unique_lock lock(mutex_);
      old = std::exchange(objects_[keyOf(object)], fresh);
      reindex(old, fresh);
    }
    tell(old.get(), fresh.get());
  }
  void erase(const Json& object) override {
    std::shared_ptr<const T> old;
    {
      std::unique_lock lock(mutex_);
      const auto it = objects_.find(keyOf(object));
      if (it == objects_.end()) return;
      old = std::move(it->second);
      objects_.erase(it);
      reindex(old, nullptr);
    }
    tell(old.get(), nullptr);
  }

 private:
  using Objects = std::map<NamespacedName, std::shared_ptr<const T>>;
  struct Before {
    using is_transparent = void;
    using Ptr = std::shared_ptr<const T>;
    using Value = std::pair<std::string_view, std::string_view>;
    const Index& index;
    bool operator()(const Ptr& a, const Ptr& b) const {
      const Value x = index(*a), y = index(*b);
      return x != y ? x < y : a.get() < b.get();
    }
    bool operator()(const Ptr& a, const Value& b) const { return index(*a) < b; }
    bool operator()(const Value& a, const Ptr& b) const { return a < index(*b); }
  };

  class Part final : public Sink {
   public:
    Part(Cache& cache, NamespacedName scope) : cache_(cache), scope_(std::move(scope)) {}
    void begin() override { listed_.clear(); }
    void page(const std::vector<Json>& items) override {
      for (const auto& item : items)
        listed_.insert_or_assign(keyOf(item), std::make_shared<const T>(cache_.trim_(item)));
    }
    void finish(const std::string& version) override {
      cache_.replace(scope_, std::exchange(listed_, {}));
      if (cache_.listed_) cache_.listed_(scope_, version);
    }
    void upsert(const Json& object) override { cache_.upsert(object); }
    void erase(const Json& object) override { cache_.erase(object); }

   private:
    Cache& cache_;
    const NamespacedName scope_;
    Objects listed_;
  };

  // What there is in the scope becomes `fresh`.
  void replace(const NamespacedName& scope, const Objects& fresh) {
    Objects old;
    {
      std::unique_lock lock(mutex_);
      for (auto it = objects_.lower_bound(scope); it != objects_.end() && within(scope, it->first);) {
        reindex(it->second, nullptr);
        old.insert(old.end(), objects_.extract(it++));
      }
      objects_.insert(fresh.begin(), fresh.end());
      for (const auto& [key, object] : fresh) reindex(nullptr, object);
    }
    for (const auto& [key, object] : old) {
      if (!fresh.contains(key)) tell(object.get(), nullptr);
    }
    for (const auto& [key, object] : fresh) {
      const auto it = old.find(key);
      tell(it == old.end() ? nullptr : it->second.get(), object.get());
    }
  }
  void reindex(const std::shared_ptr<const T>& before, const std::shared_ptr<const T>& after) {  // with the mutex held
    if (!index_) return;
    if (before) indexed_.erase(before);
    if (after && !index_(*after).second.empty()) indexed_.insert(after);
  }
  void tell(const T* before, const T* after) const {
    for (const auto& listener : listeners_) listener(before, after);
  }
  Trim trim_;
  const Index index_;
  std::vector<Listener> listeners_;
  Listed listed_;
  mutable std::shared_mutex mutex_;
  Objects objects_;
  std::set<std::shared_ptr<const T>, Before> indexed_;
  Part whole_{*this, {}};
};

// One resource type followed by list and watch, as states that own their data and one step (kube-rs `watcher`):
//
//   Empty -> Listing            the first page came
//   Listing -> Listing | Listed another page | the last one: the sink was told everything
//   Listing -> Empty            the continue token expired
//   Listed -> Watching          the watch is open
//   Watching -> Watching        an event
//   Watching -> Resuming        the stream broke: watch again after the last event seen
//   Resuming -> Watching        the watch is open again
//   Listed, Watching, Resuming -> Empty   Gone, or refused in a way that a new list may cure
//
// Any other error leaves the state as it is. Events that are not newer than the last one seen are replays and are
// dropped: the sink never goes back in time. Until a new list is complete the sink keeps what it had.
class Reflector {
 public:
  enum class Phase { Empty, Listing, Listed, Watching, Resuming };
  static bool mayFollow(Phase from, Phase to);  // the table above

  Reflector(Api& api, const ResourceType& type, WatchOptions scope, Sink& sink);
  ~Reflector();
  // One move: a page of the list, the opening of the watch, or one event; waits up to `timeout` for an event.
  // Done: something happened. Idle: nothing within the timeout. An Error says why it will list or watch again; the
  // caller decides how long to wait (see reflectorBackOff). Cancelled: after cancel(), for ever.
  enum class Moved { Done, Idle };
  Result<Moved> step(std::chrono::milliseconds timeout);
  bool synced() const;  // the first list is complete; any thread
  Phase phase() const;  // the stepping thread only
  void cancel();        // any thread; wakes a step that waits for an event

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// How long to wait after `failures` (1 or more) failed steps in a row: 100 ms doubling to 30 s, spread by a fifth.
Duration reflectorBackOff(int failures, Random& random);

}  // namespace godwit::kube
