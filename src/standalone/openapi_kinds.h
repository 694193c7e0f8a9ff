// What `kubectl explain` tells of the built-in kinds: the fields that mean something here.
#pragma once
#include <string_view>

#include "base/json.h"

namespace godwit::standalone {

// OpenAPI v3 schema of one kind. The two resources bring the schema of their CRD; the built-in kinds a short one that
// names the fields Godwit reads and lets all others be.
Json schemaOf(std::string_view kind);
Json objectMetaSchema();

}  // namespace godwit::standalone
