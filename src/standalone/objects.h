// Small readings of JSON objects that several controllers of this room need.
#pragma once
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "kube/recorder.h"
#include "standalone/store_rules.h"

namespace godwit::standalone {

inline constexpr const char* kDriver = "godwit.io/pool";  // provisioner of the StorageClasses, driver of the snapshots
inline constexpr const char* kPointInTimeAnnotation =
    "godwit/point-in-time";                                    // "false" where files changed in the copy
inline constexpr const char* kHostAnnotation = "godwit/host";  // on a NodePort Service: this machine
inline constexpr const char* kPortAnnotation = "godwit/port";  // on a Service: where its mover listens
inline constexpr const char* kAddressMessageAnnotation = "godwit/address-message";

inline std::string uidOf(const Json& object) {
  return text(object, "metadata", "uid");
}
inline std::string annotation(const Json& object, const char* key) {
  return text(object, "metadata", "annotations", key);
}
// status.conditions[type], or nullptr.
const Json* conditionOf(const Json& object, std::string_view type);
bool conditionTrue(const Json& object, std::string_view type);
// A copy of status.conditions with `condition` put in by its type; lastTransitionTime moves only with the status.
Json withCondition(const Json& object, Json condition, TimePoint now);
bool ownedBy(const Json& object, const std::string& uid);  // as its controller
// ": " and why a claim is still pending, as far as that is known; what waits for the claim hands it on.
std::string becauseOf(const Json& pvc);
// Every key of `selector` is a label of that value; an empty selector selects nothing.
bool selects(const Json* selector, const Json& object);
Json finalizersWith(const Json& object, std::string_view name);
Json finalizersWithout(const Json& object, std::string_view name);
// Succeeded or Failed.
bool finished(const Json& pod);
std::optional<TimePoint> timeAt(const Json* value);
kube::ObjectReference referenceTo(const Json& object);

// The elements of an array member, or nothing.
const Json& elements(const Json* array);

}  // namespace godwit::standalone
