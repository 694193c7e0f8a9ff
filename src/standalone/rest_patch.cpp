#include "standalone/rest_patch.h"

#include <fmt/core.h>

#include "standalone/rest_body.h"
#include "standalone/strategic_merge.h"

namespace godwit::standalone {

namespace {

Result<void> applyJsonPatch(Json& object, const Json& patch) {
  try {
    object = object.patch(patch);
  } catch (const Json::exception& e) {
    return Error{Errc::Invalid, fmt::format("the JSON patch does not apply: {}", e.what())};
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
