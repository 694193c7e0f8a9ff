#include "standalone/admission.h"

#include <fmt/core.h>

#include "api/core.h"
#include "api/crd.h"
#include "api/meta.h"
#include "api/quantity.h"
#include "api/schema.h"
#include "base/log.h"
#include "standalone/field_schema.h"
#include "standalone/store_rules.h"

namespace godwit::standalone {

Error Admitted::refuse(std::string_view field, std::string_view why) const {
  return invalid(type, name(), fmt::format("{}: {}", field, why));
}

Result<Json*> Admitted::spec() const {
  const auto it = after.find("spec");
  if (it == after.end() || !it->is_object()) return required("spec");
  return &*it;
}

void defaultTo(Json& object, const char* key, Json value) {
  Json& at = object[key];
  if (at.is_null()) at = std::move(value);
}

Result<void> keepField(const Admitted& a, const Json& before, const Json& after, const char* parent, const char* key) {
  const Json* was = find(before, key);
  const Json* is = find(after, key);
  if ((was ? *was : Json()) == (is ? *is : Json())) return {};
  return a.refuse(*parent ? fmt::format("{}.{}", parent, key) : std::string(key), "Invalid value: field is immutable");
}

namespace {

Result<void> encodeStringData(const Admitted& a) {
  const auto it = a.after.find("stringData");
  if (it == a.after.end()) return {};
  if (!it->is_object() && !it->is_null()) return a.refuse("stringData", "must be a map of strings");
  for (const auto& [key, value] : it->items()) {
    if (!value.is_string()) return a.refuse("stringData." + key, "must be a string");
    a.after["data"][key] = api::base64Encode(value.get_ref<const std::string&>());
  }
  a.after.erase("stringData");
  return {};
}

// Who writes over REST has been told already, and nothing is left to find here; the log is for manifests that are
// applied at the start. A misspelt field that is stored without a word is taken for heard.
void screenFields(const Admitted& a) {
  for (const auto& unknown : pruneUnknown(a.type, a.after))
    log::warn("standalone", "{} {}: {}", a.type.kind, kube::keyOf(a.after).str(), unknown);
}

// Typed clients refuse a whole list for the sake of one field that is not what they expect: it must not get in.
Result<void> admitFields(const Admitted& a) {
  const Json* schema = a.type.group == api::kGroup ? nullptr : fieldSchemaOf(a.type);  // theirs: admitReplication
  if (!schema) return {};
  for (const auto& error : api::validateSchema(*schema, a.after)) return a.refuse(error.field, error.message);
  return {};
}

Result<void> admitKind(const Admitted& a) {
  screenFields(a);
  GODWIT_TRY(admitFields(a));
  const auto is = [&](std::string_view kind) { return a.type.kind == kind; };
  if (is("Secret")) return admitSecret(a);
  if (is("ConfigMap")) return admitConfigMap(a);
  if (is("PersistentVolumeClaim")) return admitClaim(a);
  if (is("PersistentVolume")) return admitVolume(a);
  if (is("StorageClass")) return admitStorageClass(a);
  if (is("VolumeSnapshot")) return admitSnapshot(a);
  if (is("VolumeSnapshotClass")) return admitSnapshotClass(a);
  if (is("Pod")) return admitPod(a);
  if (is("Job")) return admitJob(a);
  if (is("Service")) return admitService(a);
  if (is("RoleBinding")) return admitRoleBinding(a);
  if (is("CustomResourceDefinition")) return admitDefinition(a);
  if (a.type.group == api::kGroup) return admitReplication(a);
  return {};
}

// Keys become the names of files where the object is mounted.
bool isDataKey(const std::string& key) {
  const auto good = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; };
  return !key.empty() && key.size() <= 253 && key != "." && !key.starts_with("..") &&
         std::all_of(key.begin(), key.end(), good);
}

// The bytes in a map of a Secret or ConfigMap, decoded if `base64`.
Result<std::size_t> sizeOfData(const Admitted& a, const std::string& field, bool base64) {
  std::size_t total = 0;
  static const Json kNothing = Json::object();
  const Json* data = find(a.after, field);
  for (const auto& [key, value] : (data ? *data : kNothing).items()) {
    if (!isDataKey(key)) {
      return a.refuse(
          fmt::format("{}[{}]", field, key),
          "Invalid value: a key is at most 253 letters, digits, '-', '_' and '.', and does not begin with '..'");
    }
    const auto given = value.is_string() ? value.get<std::string>() : std::string();
    const auto bytes = base64 ? api::base64Decode(given) : Result<std::string>(given);
    if (!bytes.ok())
      return a.refuse(field + "." + key, fmt::format("Invalid value: must be base64; plain text belongs into {}",
                                                     field == "data" ? "stringData" : "data"));
    total += bytes->size();
  }
  return total;
}

Result<void> limitData(const Admitted& a, std::size_t total) {
  constexpr std::size_t kLimit = 1 << 20;
  if (total <= kLimit) return {};
  return a.refuse("data", fmt::format("Too long: may not be more than {} bytes", kLimit));
}

Result<void> keepIfImmutable(const Admitted& a, std::initializer_list<const char*> fields) {
  if (!a.before || !truth(*a.before, "immutable")) return {};
  for (const char* field : fields) GODWIT_TRY(keepField(a, *a.before, a.after, "", field));
  return keepField(a, *a.before, a.after, "", "immutable");
}

}  // namespace

Result<void> admitSecret(const Admitted& a) {
  GODWIT_TRY(encodeStringData(a));
  defaultTo(a.after, "type", "Opaque");
  GODWIT_ASSIGN(const auto size, sizeOfData(a, "data", true));
  GODWIT_TRY(limitData(a, size));
  if (a.before) GODWIT_TRY(keepField(a, *a.before, a.after, "", "type"));
  return keepIfImmutable(a, {"data"});
}

Result<void> admitConfigMap(const Admitted& a) {
  GODWIT_ASSIGN(const auto texts, sizeOfData(a, "data", false));
  GODWIT_ASSIGN(const auto bytes, sizeOfData(a, "binaryData", true));
  GODWIT_TRY(limitData(a, texts + bytes));
  return keepIfImmutable(a, {"data", "binaryData"});
}

Result<void> admitService(const Admitted& a) {
  GODWIT_ASSIGN(Json * spec, a.spec());
  defaultTo(*spec, "type", "ClusterIP");
  defaultTo(*spec, "sessionAffinity", "None");
  const auto type = text(*spec, "type");
  if (type != "ClusterIP" && type != "NodePort" && type != "LoadBalancer" && type != "ExternalName") {
    return a.refuse("spec.type", fmt::format("Unsupported value: \"{}\": supported values: \"ClusterIP\", "
                                             "\"ExternalName\", \"LoadBalancer\", \"NodePort\"",
                                             type));
  }
  Json& ports = (*spec)["ports"];
  if (ports.is_null()) ports = Json::array();
  if (!ports.is_array()) return a.refuse("spec.ports", "must be a list");
  if (ports.empty() && type != "ExternalName" && text(*spec, "clusterIP") != "None") return a.required("spec.ports");
  for (auto& port : ports) {
    const auto n = number(0, port, "port");
    if (!port.is_object() || n < 1 || n > 65535)
      return a.refuse("spec.ports.port", "Invalid value: must be between 1 and 65535, inclusive");
    defaultTo(port, "protocol", "TCP");
    defaultTo(port, "targetPort", n);
  }
  const auto address = a.before ? text(*a.before, "spec", "clusterIP") : std::string();
  if (!address.empty() && text(*spec, "clusterIP").empty())
    (*spec)["clusterIP"] = address;  // a client that did not know it
  if (!address.empty()) return keepField(a, (*a.before)["spec"], *spec, "spec", "clusterIP");
  return {};
}

Result<void> admitRoleBinding(const Admitted& a) {
  if (text(a.after, "roleRef", "kind").empty() || text(a.after, "roleRef", "name").empty())
    return a.required("roleRef.name");
  return a.before ? keepField(a, *a.before, a.after, "", "roleRef") : Result<void>();
}

Result<void> admitDefinition(const Admitted& a) {
  const auto group = text(a.after, "spec", "group"), plural = text(a.after, "spec", "names", "plural");
  if (a.name() != plural + "." + group)
    return a.refuse("metadata.name", "Invalid value: must be spec.names.plural+\".\"+spec.group");
  const auto* served = kube::resources::byPlural(group, plural);
  if (!served)
    return a.refuse(
        "spec.group",
        fmt::format(
            "Forbidden: {} cannot be served here; a standalone Godwit has the kinds that `kubectl api-resources` lists",
            a.name()));
  if (a.before) return {};
  const auto since = text(a.after, "metadata", "creationTimestamp");
  const auto condition = [&](const char* kind, const char* reason, const char* message) {
    return Json{
        {"type", kind}, {"status", "True"}, {"reason", reason}, {"message", message}, {"lastTransitionTime", since}};
  };
  a.after["status"] = {{"conditions",
                        {condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                         condition("Established", "InitialNamesAccepted", "the initial names have been accepted")}},
                       {"acceptedNames", a.after["spec"]["names"]},
                       {"storedVersions", Json::array({served->version})}};
  return {};
}

Result<void> admitReplication(const Admitted& a) {
  const Json* schema = fieldSchemaOf(a.type);
  if (!schema) return {};
  api::applyDefaults(*schema, a.after);
  const auto errors = api::validateSchema(*schema, a.after);
  if (errors.empty()) return {};
  std::string all;
  for (const auto& error : errors) all += fmt::format("{}{}: {}", all.empty() ? "" : ", ", error.field, error.message);
  return invalid(a.type, a.name(), all);
}

void installAdmission(Store& store) {
  store.addAdmission([](const kube::ResourceType& type, const Json* before, Json& after) {
    return admitKind({type, before, after});
  });
}

Result<void> seedCustomResourceDefinitions(Store& store) {
  for (const auto role : {api::Role::Source, api::Role::Destination}) {
    const Json crd = api::crd(role);
    const auto made = store.create(kube::resources::kCustomResourceDefinitions, crd);
    if (made.ok()) continue;
    if (!made.is(Errc::AlreadyExists)) return made.error();
    const auto current = [&](Json& object) { return object["spec"] = crd.at("spec"), Result<void>(); };
    GODWIT_TRY(store.modify(kube::resources::kCustomResourceDefinitions, kube::keyOf(crd), current));
  }
  return {};
}

}  // namespace godwit::standalone
