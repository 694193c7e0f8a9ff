#include "cli/manifests.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "api/yaml.h"
#include "base/fd.h"

namespace godwit::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

Result<std::vector<fs::path>> filesOf(const fs::path& path) {
  std::error_code failed;
  if (!fs::is_directory(path, failed)) return std::vector<fs::path>{path};
  std::vector<fs::path> files;
  for (fs::directory_iterator it(path, failed), end; !failed && it != end; it.increment(failed)) {
    const auto extension = it->path().extension();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json") files.push_back(it->path());
  }
  if (failed) return errnoError("cannot list " + path.string(), failed.value());
  if (files.empty()) return Error{Errc::Invalid, path.string() + ": no *.yaml, *.yml or *.json in this directory"};
  std::sort(files.begin(), files.end());
  return files;
}

Result<const kube::ResourceType*> typeOf(const Json& object) {
  const auto version = text(object, "apiVersion"), kind = text(object, "kind");
  if (version.empty() || kind.empty()) return Error{Errc::Invalid, "apiVersion and kind must be set"};
  if (const auto* type = kube::resources::byKind(version, kind)) return type;
  return Error{Errc::Unsupported, fmt::format("no matches for kind \"{}\" in version \"{}\"", kind, version)};
}

// Of the metadata what is read and written here; all else is the server's to judge.
Result<void> checkMetadata(const Json& object) {
  if (text(object, "metadata", "name").empty()) return Error{Errc::Invalid, "metadata.name must be set"};
  const Json* ns = find(object, "metadata", "namespace");
  if (ns && !ns->is_string() && !ns->is_null()) return Error{Errc::Invalid, "metadata.namespace: must be text"};
  const Json* annotations = find(object, "metadata", "annotations");
  if (annotations && !annotations->is_object() && !annotations->is_null())
    return Error{Errc::Invalid, "metadata.annotations: must be a map of strings"};
  return {};
}

}  // namespace

Result<std::vector<Json>> loadManifests(const std::string& fileOrDirectory) {
  if (fileOrDirectory == "-") {
    return api::parseYaml(std::string(std::istreambuf_iterator<char>(std::cin), {}));
  }
  GODWIT_ASSIGN(const auto files, filesOf(fileOrDirectory));
  std::vector<Json> objects;
  for (const auto& file : files) {
    GODWIT_ASSIGN(const auto content, readFile(file));
    auto parsed = api::parseYaml(content);
    if (!parsed) return Error{parsed.error().code, file.string() + ": " + parsed.error().message};
    std::move(parsed->begin(), parsed->end(), std::back_inserter(objects));
  }
  return objects;
}

const char* name(Applied outcome) {
  switch (outcome) {
    case Applied::Created:
      return "created";
    case Applied::Configured:
      return "configured";
    case Applied::Unchanged:
      return "unchanged";
  }
  return "";
}

std::string displayName(const Json& object) {
  std::string kind = text(object, "kind");
  std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto version = text(object, "apiVersion");
  const auto slash = version.find('/');
  const auto group = slash == std::string::npos ? "" : "." + version.substr(0, slash);
  return kind + group + "/" + text(object, "metadata", "name");
}

Json applyPatch(const Json& before, const Json& wanted) {
  Json patch = wanted;
  if (!before.is_object() || !wanted.is_object()) return patch;
  for (const auto& [key, value] : before.items()) {
    const auto* now = find(wanted, key);
    if (!now)
      patch[key] = nullptr;
    else if (now->is_object() && value.is_object())
      patch[key] = applyPatch(value, *now);
  }
  return patch;
}

Result<Applied> applyManifest(kube::Api& api, Json object, const std::string& defaultNamespace) {
  GODWIT_ASSIGN(const auto* type, typeOf(object));
  GODWIT_TRY(checkMetadata(object));
  if (type->namespaced && text(object, "metadata", "namespace").empty())
    object["metadata"]["namespace"] = defaultNamespace;
  if (!type->namespaced) object["metadata"].erase("namespace");
  object.erase("status");  // the server's to say
  const std::string applied = dumpJson(object) + "\n";
  object["metadata"]["annotations"][kLastApplied] = applied;

  auto stored = api.get(*type, kube::keyOf(object));
  if (stored.is(Errc::NotFound)) {
    GODWIT_TRY(api.create(*type, object));
    return Applied::Created;
  }
  if (!stored) return std::move(stored.error());
  const auto before = parseJson(text(*stored, "metadata", "annotations", kLastApplied));
  const auto version = text(*stored, "metadata", "resourceVersion");
  GODWIT_ASSIGN(const auto after, api.patch(*type, kube::keyOf(object), applyPatch(before ? *before : Json(), object)));
  return text(after, "metadata", "resourceVersion") == version ? Applied::Unchanged : Applied::Configured;
}

}  // namespace godwit::cli
