// Garbage collection: what Kubernetes' garbage collector and namespace controller do, in rounds.
#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "api/meta.h"
#include "base/log.h"
#include "standalone/store_impl.h"

namespace godwit::standalone {

namespace resources = kube::resources;
using Propagation = kube::DeleteOptions::Propagation;

void Store::Impl::raiseGarbage() {
  {
    std::lock_guard lock(garbageMutex);
    garbage = true;
  }
  garbageRaised.notify_all();
}

namespace {

struct Node {
  const kube::ResourceType* type;
  Object object;
  kube::NamespacedName key() const { return kube::keyOf(*object); }
};

// Everything there is at the start of a round. Later writes of the same round are judged by the next one.
struct Census {
  std::vector<Node> nodes;
  std::unordered_map<std::string, const Node*> byUid;

  explicit Census(const World& world) {
    for (std::size_t i = 0; i < resources::all().size(); ++i) {
      for (auto& object : world.list(i, "").objects) nodes.push_back({resources::all()[i], std::move(object)});
    }
    for (const auto& node : nodes) byUid[text(*node.object, "metadata", "uid")] = &node;
  }

  // The living owner a reference means: same uid, and in the same namespace or cluster-wide.
  const Node* owner(const Node& of, const Json& reference) const {
    const auto it = byUid.find(text(reference, "uid"));
    if (it == byUid.end()) return nullptr;
    const auto ns = it->second->key().ns;
    return ns.empty() || ns == of.key().ns ? it->second : nullptr;
  }
};

const Json& ownersOf(const Node& node) {
  static const Json kNone = Json::array();
  const Json* owners = find(*node.object, "metadata", "ownerReferences");
  return owners && owners->is_array() ? *owners : kNone;
}

class Round {
 public:
  Round(Store& store, const Census& census) : store_(store), census_(census) {}

  bool run(TimePoint now) {
    for (const auto& node : census_.nodes) {
      judgeOwners(node);
      judgeFinalizers(node);
      judgeNamespace(node);
      if (node.type->kind == "Event") judgeEvent(node, now);
    }
    return changed_;
  }

 private:
  // Gone owners are forgotten while another lives; without any, the dependent follows them.
  void judgeOwners(const Node& node) {
    const Json& owners = ownersOf(node);
    if (owners.empty()) return;
    Json kept = Json::array();
    bool solid = false, waiting = false;
    for (const auto& reference : owners) {
      const Node* owner = census_.owner(node, reference);
      if (!owner) continue;
      kept.push_back(reference);
      const bool foreground = isDeleting(*owner->object) && hasFinalizer(*owner->object, "foregroundDeletion");
      (foreground ? waiting : solid) = true;
    }
    if (!solid) {
      if (!isDeleting(*node.object)) remove(node, waiting ? Propagation::Foreground : Propagation::Background);
    } else if (kept.size() != owners.size()) {
      setOwners(node, std::move(kept));
    }
  }

  void judgeFinalizers(const Node& node) {
    if (!isDeleting(*node.object)) return;
    const auto uid = text(*node.object, "metadata", "uid");
    if (hasFinalizer(*node.object, "orphan")) {
      for (const auto& other : census_.nodes) disown(other, uid);
      dropFinalizer(node, "orphan");
    }
    if (hasFinalizer(*node.object, "foregroundDeletion") && !blocked(uid)) dropFinalizer(node, "foregroundDeletion");
  }

  bool blocked(const std::string& uid) const {
    return std::any_of(census_.nodes.begin(), census_.nodes.end(), [&](const Node& other) {
      const Json& owners = ownersOf(other);
      return std::any_of(owners.begin(), owners.end(),
                         [&](const Json& o) { return text(o, "uid") == uid && truth(o, "blockOwnerDeletion"); });
    });
  }

  void disown(const Node& node, const std::string& uid) {
    Json kept = Json::array();
    for (const auto& reference : ownersOf(node)) {
      if (text(reference, "uid") != uid) kept.push_back(reference);
    }
    if (kept.size() != ownersOf(node).size()) setOwners(node, std::move(kept));
  }

  void judgeNamespace(const Node& node) {
    if (node.type->kind != "Namespace" || !isDeleting(*node.object)) return;
    const auto name = node.key().name;
    bool occupied = false;
    for (const auto& other : census_.nodes) {
      if (!other.type->namespaced || other.key().ns != name) continue;
      occupied = true;
      if (!isDeleting(*other.object)) remove(other, Propagation::Background);
    }
    if (!occupied)
      note(node, store_.modify(*node.type, node.key(),
                               [](Json& ns) { return ns["spec"].erase("finalizers"), Result<void>(); }));
  }

  void judgeEvent(const Node& node, TimePoint now) {
    constexpr auto kKept = std::chrono::hours(1);
    for (const char* field : {"lastTimestamp", "eventTime"}) {
      if (const auto at = api::parseTime(text(*node.object, field)); at.ok()) {
        if (now - *at > kKept) remove(node, Propagation::Background);
        return;
      }
    }
    const auto made = api::parseTime(text(*node.object, "metadata", "creationTimestamp"));
    if (made.ok() && now - *made > kKept) remove(node, Propagation::Background);
  }

  void remove(const Node& node, Propagation propagation) {
    kube::DeleteOptions options;
    options.uid = text(*node.object, "metadata", "uid");
    options.propagation = propagation;
    note(node, store_.remove(*node.type, node.key(), options, Store::Commit::Write));
  }

  void setOwners(const Node& node, Json owners) {
    note(node, store_.modify(*node.type, node.key(), [&](Json& object) -> Result<void> {
      if (text(object, "metadata", "uid") != text(*node.object, "metadata", "uid"))
        return Error{Errc::Conflict, "replaced meanwhile"};
      if (owners.empty()) {
        object["metadata"].erase("ownerReferences");
      } else {
        object["metadata"]["ownerReferences"] = owners;
      }
      return {};
    }));
  }

  void dropFinalizer(const Node& node, std::string_view finalizer) {
    note(node, store_.modify(*node.type, node.key(), [&](Json& object) -> Result<void> {
      Json kept = Json::array();
      for (const auto& f : object["metadata"]["finalizers"]) {
        if (f != finalizer) kept.push_back(f);
      }
      object["metadata"]["finalizers"] = std::move(kept);
      return {};
    }));
  }

  // Somebody else was faster: the next round sees how things stand. Anything else is worth a line.
  void note(const Node& node, const Result<Json>& outcome) {
    if (outcome.ok()) {
      changed_ = true;
    } else if (!outcome.is(Errc::NotFound) && !outcome.is(Errc::Conflict)) {
      log::warn("store", "garbage collection of {}: {}", quoted(*node.type, node.key().name), outcome.error().message);
    }
  }

  Store& store_;
  const Census& census_;
  bool changed_ = false;
};

}  // namespace

bool Store::collectGarbage() {
  {
    std::lock_guard lock(impl_->garbageMutex);
    if (!std::exchange(impl_->garbage, false)) return false;
  }
  const Census census(*impl_->world);
  const bool changed = Round(*this, census).run(impl_->clock.now());
  if (changed) impl_->raiseGarbage();  // one removal may free the next
  return changed;
}

void Store::collectGarbageUntil(std::stop_token stop) {
  constexpr auto kEventSweep = std::chrono::minutes(10);
  while (!stop.stop_requested()) {
    while (!stop.stop_requested() && collectGarbage()) {
    }
    std::unique_lock lock(impl_->garbageMutex);
    if (!impl_->garbageRaised.wait_for(lock, stop, kEventSweep, [&] { return impl_->garbage; })) impl_->garbage = true;
  }
}

}  // namespace godwit::standalone
