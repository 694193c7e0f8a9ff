// Writes, each the smallest there is, each remembered by the view it concerns.
#pragma once
#include "api/names.h"
#include "replication/steps.h"

namespace godwit::replication {

// Nothing when `child` is ours; else an Error that names the owner and the remedy.
Result<void> checkOwner(const kube::ResourceType& type, const api::ObjectMeta& child, const api::Replication& object);

// NotFound when the object itself is gone and only the watch does not know yet.
Result<void> checkAlive(Pass& pass);

template <class T>
struct Made {
  typename View<T>::Ptr object;
  bool created = false;  // by this call
};

// Creates `wanted`. One of that name that is ours already (the watch was late) is as good; one of somebody else is an
// error.
template <class T>
Result<Made<T>> create(Pass& pass, View<T>& view, const kube::ResourceType& type, const Json& wanted) {
  // Somebody removed what we made: the garbage collector, perhaps, because its owner is gone.
  if (view.vanished(kube::keyOf(wanted))) GODWIT_TRY(checkAlive(pass));
  auto stored = pass.doors.api.create(type, wanted);
  if (stored.ok()) view.made(kube::keyOf(wanted));
  const bool created = stored.ok();
  if (stored.is(Errc::AlreadyExists)) stored = pass.doors.api.get(type, kube::keyOf(wanted));
  if (!stored) return stored.error();
  auto object = view.wrote(*stored);
  GODWIT_TRY(checkOwner(type, object->meta, pass.object));
  return Made<T>{std::move(object), created};
}

template <class T>
Result<typename View<T>::Ptr> patch(Pass& pass, View<T>& view, const kube::ResourceType& type,
                                    const api::NamespacedName& key, const Json& change) {
  auto stored = pass.doors.api.patch(type, key, change);
  if (!stored) return stored.error();
  return view.wrote(*stored);
}

// Deletes exactly this object, and where a resourceVersion is given, as it was then; one that is gone or has been
// replaced meanwhile is fine.
template <class T>
Result<void> remove(kube::Api& api, View<T>& view, const kube::ResourceType& type, const api::ObjectMeta& meta,
                    const std::string& resourceVersion = {}) {
  const auto removed = api.remove(type, meta.key(), {.uid = meta.uid, .resourceVersion = resourceVersion});
  if (removed.is(Errc::Conflict)) {  // replaced meanwhile, or just a busy server
    const auto current = api.get(type, meta.key());
    const bool same = current.ok() && text(*current, "metadata", "uid") == meta.uid;
    if (same || (!current && !current.is(Errc::NotFound))) return removed;
  } else if (!removed && !removed.is(Errc::NotFound)) {
    return removed;
  }
  view.removed(meta);
  return {};
}

// What a user wants to keep stops being ours, and nothing else about it changes.
template <class T>
Result<void> letGo(Pass& pass, View<T>& view, const kube::ResourceType& type, const api::ObjectMeta& meta) {
  Json owners = Json::array();
  for (const auto& owner : meta.ownerReferences) {
    if (owner.uid == pass.object.meta.uid) continue;
    owners.push_back({{"apiVersion", owner.apiVersion},
                      {"kind", owner.kind},
                      {"name", owner.name},
                      {"uid", owner.uid},
                      {"controller", owner.controller},
                      {"blockOwnerDeletion", owner.blockOwnerDeletion}});
  }
  const Json change = {{"metadata",
                        {{"resourceVersion", meta.resourceVersion},
                         {"ownerReferences", std::move(owners)},
                         {"labels", {{api::kCleanupLabel, nullptr}}}}}};
  const auto stored = patch(pass, view, type, meta.key(), change);
  if (stored.is(Errc::NotFound)) return {};
  return stored.ok() ? Result<void>() : stored.error();
}

// The end of a child: deleted, or let go when it is labelled do-not-delete. Never on the word of a late watch.
template <class T>
Result<void> drop(Pass& pass, View<T>& view, const kube::ResourceType& type, const api::ObjectMeta& meta,
                  const std::string& resourceVersion = {}) {
  if (meta.deletionTimestamp) return {};
  GODWIT_TRY(pass.confirm());
  if (meta.labels.contains(api::kDoNotDeleteLabel)) return letGo(pass, view, type, meta);
  return remove(pass.doors.api, view, type, meta, resourceVersion);
}

}  // namespace godwit::replication
