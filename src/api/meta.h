// What every Kubernetes object carries.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace godwit::api {

struct NamespacedName {
  std::string ns;  // empty for cluster-scoped objects
  std::string name;
  auto operator<=>(const NamespacedName&) const = default;
  std::string str() const { return ns.empty() ? name : ns + "/" + name; }
};

struct OwnerReference {
  std::string apiVersion, kind, name, uid;
  bool controller = false;
  bool blockOwnerDeletion = false;
  bool operator==(const OwnerReference&) const = default;
};

using StringMap = std::map<std::string, std::string>;

struct ObjectMeta {
  std::string name, ns, uid, resourceVersion, generateName;
  std::int64_t generation = 0;
  StringMap labels, annotations;
  std::vector<OwnerReference> ownerReferences;
  std::vector<std::string> finalizers;
  std::optional<TimePoint> creationTimestamp, deletionTimestamp;

  NamespacedName key() const { return {ns, name}; }
  const OwnerReference* controller() const;              // the owner with controller=true, or nullptr
  std::string annotation(const std::string& key) const;  // empty when absent
  std::string label(const std::string& key) const;       // empty when absent
};

// Tolerant: what is missing or of a wrong type is left at its default.
ObjectMeta metaFromJson(const Json& object);  // reads object["metadata"]
Json toJson(const ObjectMeta& meta);          // the "metadata" value; empty parts are left out

// RFC 3339 in UTC with second precision, as metav1.Time ("2021-01-14T19:43:07Z").
std::string formatTime(TimePoint t);
// RFC 3339 with optional fraction and any offset. Invalid otherwise.
Result<TimePoint> parseTime(std::string_view text);

}  // namespace godwit::api
