// OpenAPI v3 documents of the REST face, one for each group and version: what `kubectl create` and `apply` ask before
// they trust the server with validation, and what `kubectl explain` shows.
#pragma once
#include <string>
#include <string_view>

#include "base/json.h"

namespace godwit::standalone {

// GET /openapi/v3: {"paths": {"api/v1": {"serverRelativeURL": ...}, ...}}.
Json openapiIndex();

// GET /openapi/v3/PATH, for instance "api/v1" or "apis/batch/v1". NotFound for others.
Result<Json> openapiDocument(std::string_view path);

// GET /openapi/v2, in the protobuf that clients before 1.29 insist on: a valid document without definitions. For a kind
// that it does not know kubectl skips its own validation, and leaves it to the server.
std::string openapiV2();

}  // namespace godwit::standalone
