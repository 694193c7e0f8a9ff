#include "standalone/store_rules.h"

#include <fmt/core.h>

#include <algorithm>

#include "api/meta.h"

namespace godwit::standalone {

std::string quoted(const kube::ResourceType& type, std::string_view name) {
  return fmt::format("{}{}{} \"{}\"", type.plural, type.group.empty() ? "" : ".", type.group, name);
}

Error notFound(const kube::ResourceType& type, std::string_view name) {
  return {Errc::NotFound, quoted(type, name) + " not found"};
}

Error invalid(const kube::ResourceType& type, std::string_view name, std::string_view why) {
  return {Errc::Invalid,
          fmt::format("{}{}{} \"{}\" is invalid: {}", type.kind, type.group.empty() ? "" : ".", type.group, name, why)};
}

bool isDeleting(const Json& object) {
  return !text(object, "metadata", "deletionTimestamp").empty();
}

bool hasFinalizer(const Json& object, std::string_view finalizer) {
  const Json* list = find(object, "metadata", "finalizers");
  return list && list->is_array() && std::any_of(list->begin(), list->end(), [&](const Json& f) {
           return f.is_string() && f.get_ref<const std::string&>() == finalizer;
         });
}

static bool empty(const Json* list) {
  return !list || list->empty();
}

bool isReleased(const kube::ResourceType& type, const Json& object) {
  if (!empty(find(object, "metadata", "finalizers"))) return false;
  if (type.kind == "Namespace") return empty(find(object, "spec", "finalizers"));
  return number(0, object, "metadata", "deletionGracePeriodSeconds") == 0;
}

static Result<void> checkIdentity(const kube::ResourceType& type, const Json& object) {
  if (!object.is_object()) return Error{Errc::Invalid, "the object must be a JSON object"};
  const Json* metadata = find(object, "metadata");
  if (metadata && !metadata->is_object() && !metadata->is_null())
    return Error{Errc::Invalid, "metadata: must be an object"};
  for (const char* part : {"spec", "status"}) {
    const Json* given = find(object, part);
    if (given && !given->is_object() && !given->is_null())
      return invalid(type, text(object, "metadata", "name"), fmt::format("{}: must be an object", part));
  }
  const auto apiVersion = text(object, "apiVersion"), kind = text(object, "kind");
  if ((!apiVersion.empty() && apiVersion != type.apiVersion()) || (!kind.empty() && kind != type.kind)) {
    return Error{Errc::Invalid, fmt::format("the object is a {} of {}, but {} of {} belong here", kind, apiVersion,
                                            type.plural, type.apiVersion())};
  }
  return {};
}

// Only these arrive with a status: a node registers itself whole.
static bool keepsStatusOnCreate(const kube::ResourceType& type) {
  return !type.status || type.kind == "Node";
}

static void initialStatus(const kube::ResourceType& type, Json& object) {
  if (!keepsStatusOnCreate(type)) object.erase("status");
  if (type.kind == "Namespace") {
    object["spec"]["finalizers"] = Json::array({"kubernetes"});
    object["status"]["phase"] = "Active";
  } else if (type.kind == "PersistentVolumeClaim" || type.kind == "PersistentVolume" || type.kind == "Pod") {
    object["status"]["phase"] = "Pending";
  } else if (type.kind == "Job") {
    object["status"] = Json::object();
  } else if (type.kind == "Service") {
    object["status"]["loadBalancer"] = Json::object();
  }
}

static void chooseName(Json& metadata, Random& random) {
  constexpr std::size_t kLongestPrefix = 58;  // a name of 63, the shortest limit, less five random letters
  if (!text(metadata, "name").empty()) return;
  const auto prefix = text(metadata, "generateName");
  if (!prefix.empty()) metadata["name"] = prefix.substr(0, kLongestPrefix) + random.suffix();
}

Result<Json> asCreated(const kube::ResourceType& type, Json object, const Clock& clock, Random& random) {
  GODWIT_TRY(checkIdentity(type, object));
  Json& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  if (!text(metadata, "resourceVersion").empty()) {
    return Error{Errc::Invalid, "metadata.resourceVersion: must not be set on objects to be created"};
  }
  chooseName(metadata, random);
  for (const char* server :
       {"resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"}) {
    metadata.erase(server);
  }
  if (!type.namespaced) metadata.erase("namespace");
  object["apiVersion"] = type.apiVersion();
  object["kind"] = type.kind;
  metadata["uid"] = random.uuid();
  metadata["creationTimestamp"] = api::formatTime(clock.now());
  initialStatus(type, object);
  object["metadata"].erase("generation");
  if (object.contains("spec")) object["metadata"]["generation"] = 1;
  GODWIT_TRY(checkMetadata(type, object));
  return object;
}

static Error conflict(const kube::ResourceType& type, std::string_view name, std::string_view why) {
  return {Errc::Conflict, fmt::format("Operation cannot be fulfilled on {}: {}", quoted(type, name), why)};
}

static void keep(const Json& from, Json& to, const char* key) {
  if (const Json* value = find(from, key)) {
    to[key] = *value;
  } else {
    to.erase(key);
  }
}

static Result<void> checkIdentityKept(const kube::ResourceType& type, const Json& was, const Json& now) {
  const auto name = text(was, "name");
  for (const char* key : {"name", "namespace"}) {
    const auto given = text(now, key);
    if (!given.empty() && given != text(was, key))
      return invalid(type, name, fmt::format("metadata.{}: Invalid value: \"{}\": field is immutable", key, given));
  }
  const auto version = text(now, "resourceVersion");
  if (!version.empty() && version != text(was, "resourceVersion")) {
    return conflict(type, name,
                    "the object has been modified; please apply your changes to the latest version and try again");
  }
  const auto uid = text(now, "uid");
  if (!uid.empty() && uid != text(was, "uid")) {
    return conflict(
        type, name,
        fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}", uid, text(was, "uid")));
  }
  return {};
}

static Result<void> checkFinalizers(const kube::ResourceType& type, const Json& before, const Json& after) {
  const Json* list = find(after, "metadata", "finalizers");
  if (!isDeleting(before) || !list) return {};
  for (const auto& finalizer : *list) {
    if (!finalizer.is_string() || hasFinalizer(before, finalizer.get_ref<const std::string&>())) continue;
    return invalid(type, text(before, "metadata", "name"),
                   "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted");
  }
  return {};
}

void countGeneration(const Json& before, Json& after) {
  const auto essence = [](const Json& object) {
    Json out = object;
    out.erase("metadata");
    out.erase("status");
    return out;
  };
  if (!find(before, "metadata", "generation") || essence(before) == essence(after)) return;
  after["metadata"]["generation"] = number(1, before, "metadata", "generation") + 1;
}

Result<Json> asUpdated(const kube::ResourceType& type, const Json& before, Json after, kube::Subresource subresource) {
  GODWIT_TRY(checkIdentity(type, after));
  const Json& was = before["metadata"];
  if (!find(after, "metadata") || !after["metadata"].is_object()) after["metadata"] = Json::object();
  GODWIT_TRY(checkIdentityKept(type, was, after["metadata"]));
  if (subresource == kube::Subresource::Status) {
    Json kept = before;
    keep(after, kept, "status");
    return kept;
  }
  if (type.status) keep(before, after, "status");
  Json& now = after["metadata"];
  for (const char* key : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation",
                          "generateName", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    keep(was, now, key);
  }
  now.erase("managedFields");
  now.erase("selfLink");
  after["apiVersion"] = type.apiVersion();
  after["kind"] = type.kind;
  GODWIT_TRY(checkFinalizers(type, before, after));
  GODWIT_TRY(checkMetadata(type, after));
  return after;
}

}  // namespace godwit::standalone
