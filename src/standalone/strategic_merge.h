// Strategic merge patch, as kubectl sends it for the built-in kinds: lists of objects merge by a key.
#pragma once
#include "base/json.h"

namespace godwit::standalone {

// `target` with `patch` merged in. Directives: $patch (merge, replace, delete), $retainKeys, $setElementOrder/LIST,
// $deleteFromPrimitiveList/LIST. Invalid, naming the list, when an element lacks its merge key or a directive is
// unknown. Source: the Kubernetes API conventions, "Strategic Merge Patch"; merge keys as in the core/v1 types.
Result<Json> strategicMerge(Json target, const Json& patch);

}  // namespace godwit::standalone
