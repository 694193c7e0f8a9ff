// OpenAPI v3 documents of the REST face, one for each group and version: what `kubectl create` and `apply` ask before
// they trust the server with validation, and what `kubectl explain` shows.
#pragma once
#include <string_view>

#include "base/json.h"

namespace godwit::standalone {

// GET /openapi/v3: {"paths": {"api/v1": {"serverRelativeURL": ...}, ...}}.
Json openapiIndex();

// GET /openapi/v3/PATH, for instance "api/v1" or "apis/batch/v1". NotFound for others.
Result<Json> openapiDocument(std::string_view path);

}  // namespace godwit::standalone
