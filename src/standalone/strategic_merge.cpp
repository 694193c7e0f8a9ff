#include "standalone/strategic_merge.h"

#include <fmt/core.h>

namespace godwit::standalone {

namespace {

constexpr std::string_view kOrder = "$setElementOrder/", kDelete = "$deleteFromPrimitiveList/";

// The key by which a list's elements are the same, by the list's name; "" when the list is replaced as a whole.
// `ports` is the one name with two meanings: a container's elements have containerPort, a Service's do not.
std::string mergeKey(const std::string& list, const Json& patch) {
  static const std::map<std::string, std::string> kKeys = {{"containers", "name"},
                                                           {"initContainers", "name"},
                                                           {"ephemeralContainers", "name"},
                                                           {"volumes", "name"},
                                                           {"env", "name"},
                                                           {"imagePullSecrets", "name"},
                                                           {"secrets", "name"},
                                                           {"volumeMounts", "mountPath"},
                                                           {"volumeDevices", "devicePath"},
                                                           {"ownerReferences", "uid"},
                                                           {"conditions", "type"},
                                                           {"hostAliases", "ip"},
                                                           {"topologySpreadConstraints", "topologyKey"},
                                                           {"addresses", "type"},
                                                           {"resizePolicy", "resourceName"}};
  if (list == "ports") {
    const bool container =
        std::any_of(patch.begin(), patch.end(), [](const Json& e) { return find(e, "containerPort"); });
    return container ? "containerPort" : "port";
  }
  const auto it = kKeys.find(list);
  return it == kKeys.end() ? "" : it->second;
}

bool mergesPrimitives(const std::string& list) {
  return list == "finalizers";
}

Result<void> mergeObject(Json& target, const Json& patch);

Json::iterator findBy(Json& list, const std::string& key, const Json& value) {
  return std::find_if(list.begin(), list.end(), [&](const Json& e) {
    const Json* at = find(e, key);
    return at && *at == value;
  });
}

Result<void> mergeElement(const std::string& name, const std::string& key, Json& target, const Json& element) {
  const Json* id = find(element, key);
  if (!id) return Error{Errc::Invalid, fmt::format("{}: an element of the patch has no merge key \"{}\"", name, key)};
  const auto it = findBy(target, key, *id);
  if (text(element, "$patch") == "delete") {
    if (it != target.end()) target.erase(it);
    return {};
  }
  if (it != target.end()) return mergeObject(*it, element);
  Json fresh = Json::object();
  GODWIT_TRY(mergeObject(fresh, element));
  target.push_back(std::move(fresh));
  return {};
}

bool replacesList(const Json& patch) {
  return std::any_of(patch.begin(), patch.end(), [](const Json& e) { return text(e, "$patch") == "replace"; });
}

Result<void> mergeList(const std::string& name, Json& target, const Json& patch) {
  if (mergesPrimitives(name)) {
    for (const auto& value : patch) {
      if (std::find(target.begin(), target.end(), value) == target.end()) target.push_back(value);
    }
    return {};
  }
  const auto key = mergeKey(name, patch);
  if (key.empty() || replacesList(patch)) {
    target = Json::array();
    for (const auto& value : patch) {
      if (text(value, "$patch") != "replace") target.push_back(value);
    }
    return {};
  }
  for (const auto& element : patch) GODWIT_TRY(mergeElement(name, key, target, element));
  return {};
}

// Elements in the order the patch names; the others keep their place behind.
void setOrder(Json& target, const std::string& list, const Json& order) {
  const auto at = target.find(list);
  if (at == target.end() || !at->is_array() || !order.is_array()) return;
  const auto key = mergesPrimitives(list) ? "" : mergeKey(list, order);
  Json sorted = Json::array();
  for (const auto& wanted : order) {
    const Json* id = key.empty() ? &wanted : find(wanted, key);
    if (!id) continue;
    const auto it = key.empty() ? std::find(at->begin(), at->end(), *id) : findBy(*at, key, *id);
    if (it == at->end()) continue;
    sorted.push_back(std::move(*it));
    at->erase(it);
  }
  for (auto& rest : *at) sorted.push_back(std::move(rest));
  *at = std::move(sorted);
}

void deletePrimitives(Json& target, const std::string& list, const Json& values) {
  const auto at = target.find(list);
  if (at == target.end() || !at->is_array()) return;
  for (const auto& value : values) at->erase(std::remove(at->begin(), at->end(), value), at->end());
}

Result<void> checkDirectives(const Json& patch) {
  for (const auto& [name, value] : patch.items()) {
    const bool list = name.starts_with(kDelete) || name.starts_with(kOrder) || name == "$retainKeys";
    if (list && !value.is_array()) return Error{Errc::Invalid, name + ": must be a list"};
    if (name.starts_with('$') && !list && name != "$patch")
      return Error{Errc::Invalid, name + ": unknown patch directive"};
  }
  return {};
}

void retainKeys(Json& target, const Json& keys) {
  for (auto it = target.begin(); it != target.end();) {
    const bool keep = std::find(keys.begin(), keys.end(), Json(it.key())) != keys.end();
    it = keep ? std::next(it) : target.erase(it);
  }
}

Result<void> mergeField(Json& target, const std::string& name, const Json& value) {
  if (value.is_null()) {
    target.erase(name);
    return {};
  }
  if (value.is_object()) {
    if (!find(target, name) || !target[name].is_object()) target[name] = Json::object();
    if (text(value, "$patch") == "delete") return target.erase(name), Result<void>();
    return mergeObject(target[name], value);
  }
  if (value.is_array()) {
    if (!find(target, name) || !target[name].is_array()) target[name] = Json::array();
    return mergeList(name, target[name], value);
  }
  target[name] = value;
  return {};
}

Result<void> mergeObject(Json& target, const Json& patch) {
  if (const auto directive = text(patch, "$patch"); directive == "replace") {
    target = patch;
    target.erase("$patch");
    return {};
  } else if (!directive.empty() && directive != "merge") {
    return Error{Errc::Invalid, fmt::format("unknown patch directive \"$patch: {}\"", directive)};
  }
  GODWIT_TRY(checkDirectives(patch));
  if (const Json* keys = find(patch, "$retainKeys")) retainKeys(target, *keys);
  for (const auto& [name, value] : patch.items()) {
    if (name.starts_with(kDelete)) deletePrimitives(target, name.substr(kDelete.size()), value);
  }
  for (const auto& [name, value] : patch.items()) {
    if (!name.starts_with('$')) GODWIT_TRY(mergeField(target, name, value));
  }
  for (const auto& [name, value] : patch.items()) {
    if (name.starts_with(kOrder)) setOrder(target, name.substr(kOrder.size()), value);
  }
  return {};
}

}  // namespace

Result<Json> strategicMerge(Json target, const Json& patch) {
  if (!target.is_object() || !patch.is_object())
    return Error{Errc::Invalid, "a strategic merge patch is a JSON object"};
  GODWIT_TRY(mergeObject(target, patch));
  return target;
}

}  // namespace godwit::standalone
