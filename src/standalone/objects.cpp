#include "standalone/objects.h"

#include "api/meta.h"

namespace godwit::standalone {

const Json& elements(const Json* array) {
  static const Json kNone = Json::array();
  return array && array->is_array() ? *array : kNone;
}

const Json* conditionOf(const Json& object, std::string_view type) {
  for (const auto& condition : elements(find(object, "status", "conditions"))) {
    if (text(condition, "type") == type) return &condition;
  }
  return nullptr;
}

bool conditionTrue(const Json& object, std::string_view type) {
  const auto* condition = conditionOf(object, type);
  return condition && text(*condition, "status") == "True";
}

Json withCondition(const Json& object, Json condition, TimePoint now) {
  const auto type = text(condition, "type");
  const auto* before = conditionOf(object, type);
  const bool same = before && text(*before, "status") == text(condition, "status");
  condition["lastTransitionTime"] = same ? text(*before, "lastTransitionTime") : api::formatTime(now);
  Json out = Json::array();
  for (const auto& other : elements(find(object, "status", "conditions"))) {
    if (text(other, "type") != type) out.push_back(other);
  }
  out.push_back(std::move(condition));
  return out;
}

std::string becauseOf(const Json& pvc) {
  const auto* bound = conditionOf(pvc, "Bound");
  const auto why = bound ? text(*bound, "message") : "";
  return why.empty() ? "" : ": " + why;
}

bool ownedBy(const Json& object, const std::string& uid) {
  for (const auto& owner : elements(find(object, "metadata", "ownerReferences"))) {
    if (truth(owner, "controller") && text(owner, "uid") == uid) return true;
  }
  return false;
}

bool selects(const Json* selector, const Json& object) {
  if (!selector || !selector->is_object() || selector->empty()) return false;
  for (const auto& [key, value] : selector->items()) {
    const auto* label = find(object, "metadata", "labels", key);
    if (!label || *label != value) return false;
  }
  return true;
}

Json finalizersWith(const Json& object, std::string_view name) {
  Json out = elements(find(object, "metadata", "finalizers"));
  if (!hasFinalizer(object, name)) out.push_back(name);
  return out;
}

Json finalizersWithout(const Json& object, std::string_view name) {
  Json out = Json::array();
  for (const auto& finalizer : elements(find(object, "metadata", "finalizers"))) {
    if (finalizer != name) out.push_back(finalizer);
  }
  return out;
}

bool finished(const Json& pod) {
  const auto phase = text(pod, "status", "phase");
  return phase == "Succeeded" || phase == "Failed";
}

std::optional<TimePoint> timeAt(const Json* value) {
  if (!value || !value->is_string()) return std::nullopt;
  auto parsed = api::parseTime(value->get_ref<const std::string&>());
  if (!parsed.ok()) return std::nullopt;
  return *parsed;
}

kube::ObjectReference referenceTo(const Json& object) {
  return {text(object, "apiVersion"),       text(object, "kind"), text(object, "metadata", "namespace"),
          text(object, "metadata", "name"), uidOf(object),        text(object, "metadata", "resourceVersion")};
}

}  // namespace godwit::standalone
