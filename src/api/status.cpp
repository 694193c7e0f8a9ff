// The status of a replication: its conditions, and the smallest patch between two of them.
#include "api/replication.h"

namespace godwit::api {

const Condition* ReplicationStatus::condition(std::string_view type) const {
  for (const auto& condition : conditions)
    if (condition.type == type) return &condition;
  return nullptr;
}

void ReplicationStatus::setCondition(Condition wanted, TimePoint now) {
  for (auto& present : conditions) {
    if (present.type != wanted.type) continue;
    const bool keepsTime = present.status == wanted.status && present.lastTransitionTime;
    wanted.lastTransitionTime = keepsTime ? present.lastTransitionTime : std::optional(now);
    present = std::move(wanted);
    return;
  }
  wanted.lastTransitionTime = now;
  conditions.push_back(std::move(wanted));
}

static Json difference(const Json& from, const Json& to) {
  Json patch = Json::object();
  for (const auto& [key, value] : from.items())
    if (!to.contains(key)) patch[key] = nullptr;
  for (const auto& [key, value] : to.items()) {
    const Json* old = find(from, key);
    if (old && *old == value) continue;
    patch[key] = old && old->is_object() && value.is_object() ? difference(*old, value) : value;
  }
  return patch;
}

Json statusPatch(const ReplicationStatus& from, const ReplicationStatus& to) {
  return from == to ? Json::object() : difference(toJson(from), toJson(to));
}

}  // namespace godwit::api
