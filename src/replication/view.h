// A cache that has read its own writes. What the server answered to a write counts until the watch has caught up, so
// that a reconcile that runs before the event neither repeats the write nor takes a deleted object for a living one.
#pragma once
#include <chrono>

#include "base/clock.h"
#include "kube/cache.h"

namespace godwit::replication {

template <class T>  // T has a member `api::ObjectMeta meta`
class View {
 public:
  using Ptr = std::shared_ptr<const T>;

  using Index = typename kube::Cache<T>::Index;

  View(const Clock& clock, typename kube::Cache<T>::Trim trim, Index index = {})
      : clock_(clock), trim_(trim), index_(index), cache_(std::move(trim), std::move(index)) {
    cache_.listen([this](const T* before, const T* after) { caughtUp(before, after); });
    cache_.whenListed([this](const auto& scope, const auto& version) { listed(scope, numberOf(version)); });
  }
  kube::Cache<T>& cache() { return cache_; }

  Ptr get(const kube::NamespacedName& key) const {
    const Ptr seen = cache_.get(key);
    std::scoped_lock lock(mutex_);
    const auto it = own_.find(key);
    return it == own_.end() ? seen : newest(seen, it->second);
  }
  // In order of name. What the index finds is all there is to look at, however many objects there are.
  std::vector<Ptr> list(const std::string& ns) const {
    return overlaid(cache_.list(ns), [&](const T& object) { return ns.empty() || object.meta.ns == ns; });
  }
  std::vector<Ptr> indexed(const std::string& ns, const std::string& value) const {
    return overlaid(cache_.indexed(ns, value), [&](const T& object) {
      return index_(object) == std::pair<std::string_view, std::string_view>(ns, value);
    });
  }

  // The server's answer to a create, a patch or a get.
  Ptr wrote(const Json& stored) {
    auto object = std::make_shared<const T>(trim_(stored));
    const auto key = object->meta.key();
    std::scoped_lock lock(mutex_);
    const auto seen = cache_.get(key);
    if (seen && versionOf(seen->meta) >= versionOf(object->meta)) {
      own_.erase(key);  // the watch was faster
      return object;
    }
    forgetLate();
    own_[key] = {object, {}, clock_.monotonic() + kPatience};
    return object;
  }
  // We created `key`, and vanished() tells whether that was lately and somebody else has removed it since, given that
  // it is not there now.
  void made(const kube::NamespacedName& key) {
    std::scoped_lock lock(mutex_);
    const auto now = clock_.monotonic();
    if (made_.size() >= kRemembered) std::erase_if(made_, [&](const auto& each) { return each.second < now; });
    made_[key] = now + kPatience;
  }
  bool vanished(const kube::NamespacedName& key) const {
    std::scoped_lock lock(mutex_);
    const auto it = made_.find(key);
    return it != made_.end() && it->second >= clock_.monotonic();
  }
  // The server has accepted the deletion of the object with this uid.
  void removed(const api::ObjectMeta& meta) {
    std::scoped_lock lock(mutex_);
    made_.erase(meta.key());
    const auto seen = cache_.get(meta.key());
    const auto own = own_.find(meta.key());
    const bool unseen = own != own_.end() && own->second.object && own->second.object->meta.uid == meta.uid;
    if (!unseen && (!seen || seen->meta.uid != meta.uid)) {
      own_.erase(meta.key());  // the watch was faster
      return;
    }
    forgetLate();
    own_[meta.key()] = {nullptr, meta.uid, clock_.monotonic() + kPatience};
  }

 private:
  struct Own {
    Ptr object;              // what we wrote, or
    std::string removedUid;  // what we removed
    Duration until{0};       // an event that takes longer was lost with a broken watch
  };
  static constexpr Duration kPatience = std::chrono::minutes(1);
  static constexpr std::size_t kRemembered = 256;  // before those whose time is over are forgotten

  // Cache first, then what was written: a key may be in either or both.
  template <class Wanted>
  std::vector<Ptr> overlaid(std::vector<Ptr> seen, Wanted wanted) const {
    std::map<kube::NamespacedName, Ptr> all;
    for (auto& object : seen) all.emplace(object->meta.key(), std::move(object));
    std::scoped_lock lock(mutex_);
    for (const auto& [key, own] : own_) {
      const auto it = all.find(key);
      const Ptr current = newest(it != all.end() ? it->second : cache_.get(key), own);
      if (current && wanted(*current))
        all[key] = current;
      else if (it != all.end())
        all.erase(it);
    }
    std::vector<Ptr> out;
    for (auto& [key, object] : all) out.push_back(std::move(object));
    return out;
  }
  void forgetLate() {
    if (own_.size() < kRemembered) return;
    std::erase_if(own_, [now = clock_.monotonic()](const auto& each) { return each.second.until < now; });
  }
  static std::uint64_t numberOf(const std::string& version) { return std::strtoull(version.c_str(), nullptr, 10); }
  static std::uint64_t versionOf(const api::ObjectMeta& meta) { return numberOf(meta.resourceVersion); }
  Ptr newest(const Ptr& seen, const Own& own) const {
    if (clock_.monotonic() > own.until) return seen;
    if (!own.object) return seen && seen->meta.uid == own.removedUid && !seen->meta.deletionTimestamp ? nullptr : seen;
    return seen && versionOf(seen->meta) > versionOf(own.object->meta) ? seen : own.object;
  }
  // What we wrote before a list and what is not in it is gone: the event that told so came while nobody watched.
  void listed(const kube::NamespacedName& scope, std::uint64_t version) {
    std::vector<Ptr> gone;
    {
      std::scoped_lock lock(mutex_);
      std::erase_if(own_, [&](const auto& each) {
        const auto& [key, own] = each;
        if (!kube::Cache<T>::within(scope, key) || !own.object || versionOf(own.object->meta) > version) return false;
        if (!cache_.get(key)) gone.push_back(own.object);
        return true;
      });
    }
    for (const auto& object : gone) cache_.tellGone(*object);
  }
  void caughtUp(const T* before, const T* after) {
    const auto& meta = after ? after->meta : before->meta;
    std::scoped_lock lock(mutex_);
    const auto it = own_.find(meta.key());
    if (it == own_.end()) return;
    const auto& own = it->second;
    const bool gone = !after || after->meta.uid != own.removedUid || after->meta.deletionTimestamp;
    const bool passed = own.object ? (after ? versionOf(after->meta) >= versionOf(own.object->meta)
                                            : before->meta.uid == own.object->meta.uid)
                                   : gone;
    if (passed || clock_.monotonic() > own.until) own_.erase(it);
  }

  const Clock& clock_;
  typename kube::Cache<T>::Trim trim_;
  const Index index_;
  kube::Cache<T> cache_;
  mutable std::mutex mutex_;
  std::map<kube::NamespacedName, Own> own_;
  std::map<kube::NamespacedName, Duration> made_;  // until when it is remembered
};

}  // namespace godwit::replication
