#include "standalone/rest_patch.h"

#include <fmt/core.h>

#include "standalone/rest_body.h"
#include "standalone/strategic_merge.h"

namespace godwit::standalone {

namespace {

Error doesNotApply(std::string_view why) {
  return {Errc::Invalid, fmt::format("the JSON patch does not apply: {}", why)};
}

// What the library takes for granted: that a path leads through objects and lists.
Result<void> checkParent(const Json& object, const std::string& path) {
  const Json::json_pointer pointer(path);
  if (pointer.empty()) return {};
  const auto parent = pointer.parent_pointer();
  if (object.contains(parent) && !object.at(parent).is_structured())
    return doesNotApply(fmt::format("{} is neither an object nor a list", parent.to_string()));
  return {};
}

// One operation. `copied` counts what copies have added: few of them can double an object many times.
Result<void> applyOperation(Json& object, const Json& operation, std::size_t& copied) {
  constexpr std::size_t kMostCopied = 3 << 20;
  for (const char* place : {"path", "from"}) GODWIT_TRY(checkParent(object, text(operation, place)));
  if (text(operation, "op") == "copy") {
    copied += dumpJson(object.at(Json::json_pointer(text(operation, "from")))).size();
    if (copied > kMostCopied) return doesNotApply(fmt::format("it copies more than {} bytes", kMostCopied));
  }
  object.patch_inplace(Json::array({operation}));
  return {};
}

Result<void> applyJsonPatch(Json& object, const Json& patch) {
  std::size_t copied = 0;
  try {
    for (const auto& operation : patch) GODWIT_TRY(applyOperation(object, operation, copied));
  } catch (const Json::exception& e) {
    return doesNotApply(e.what());
  }
  return {};
}

Result<Store::Change> jsonPatch(Json patch) {
  constexpr std::size_t kMostOperations = 10000;
  if (!patch.is_array()) return Error{Errc::Invalid, "a JSON patch must be a list of operations"};
  if (patch.size() > kMostOperations)
    return Error{Errc::Invalid, fmt::format("a JSON patch may hold at most {} operations", kMostOperations)};
  return Store::Change([patch = std::move(patch)](Json& object) { return applyJsonPatch(object, patch); });
}

Result<Store::Change> mergingPatch(Json patch) {
  if (!patch.is_object()) return Error{Errc::Invalid, "a merge patch must be a JSON object"};
  return Store::Change([patch = std::move(patch)](Json& object) { return mergePatch(object, patch), Result<void>(); });
}

Store::Change strategicPatch(Json patch) {
  return [patch = std::move(patch)](Json& object) -> Result<void> {
    GODWIT_ASSIGN(object, strategicMerge(object, patch));
    return {};
  };
}

}  // namespace

Result<Store::Change> patchOf(const RestContext& c) {
  const auto header = c.request.header("content-type");
  const auto media = header.substr(0, header.find(';'));
  const bool custom = isCustom(*c.target.type);
  const bool strategic = media == "application/strategic-merge-patch+json" && !custom;
  if (media != "application/merge-patch+json" && media != "application/json-patch+json" && !strategic) {
    return Error{Errc::Unsupported,
                 fmt::format("the body of the request was in an unknown format - accepted media types include: "
                             "application/json-patch+json, application/merge-patch+json{}",
                             custom ? "" : ", application/strategic-merge-patch+json")};
  }
  GODWIT_ASSIGN(auto patch, bodyOf(c.request));
  if (media == "application/json-patch+json") return jsonPatch(std::move(patch));
  if (strategic) return strategicPatch(std::move(patch));
  return mergingPatch(std::move(patch));
}

}  // namespace godwit::standalone
