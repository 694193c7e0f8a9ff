// Structural OpenAPI v3 schemas at work, as the API server applies a CRD's: validation, pruning, defaults. A schema
// comes from a CRD object and may itself be hostile: what is not understood in it is ignored.
#pragma once
#include <string>
#include <vector>

#include "api/replication.h"

namespace godwit::api {

// Everything in `value` that `schema` does not allow, in document order, each with its path ("spec.rsync.port"); empty
// = valid. Understood: type, nullable, required, enum, pattern, minimum, maximum, minLength, maxLength, minItems,
// maxItems, format (int32, date-time), properties, additionalProperties, items, x-kubernetes-int-or-string.
std::vector<FieldError> validateSchema(const Json& schema, const Json& value);

// Removes the members that no `properties` name, except below x-kubernetes-preserve-unknown-fields and
// additionalProperties, and except apiVersion, kind and metadata at the root. Returns the paths removed, for `unknown
// field "spec.foo"`.
std::vector<std::string> prune(const Json& schema, Json& value);

// Fills in `default` where a member is absent, or null and not nullable.
void applyDefaults(const Json& schema, Json& value);

}  // namespace godwit::api
