// YAML in and out of JSON, for manifests people write.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace godwit::api {

// Every document of a stream ("---"), empty ones left out, `kind: List` unpacked. YAML 1.2 core schema scalars as
// kubectl reads them (quoted = text). Invalid with line and column. Anchors work; a bomb of aliases is refused.
Result<std::vector<Json>> parseYaml(std::string_view text);
std::string toYaml(const Json& value);  // block style, keys in order, ready for kubectl

}  // namespace godwit::api
