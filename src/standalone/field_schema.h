// Every field a kind knows, to tell clients of those it does not.
#pragma once
#include <string>
#include <vector>

#include "base/json.h"
#include "kube/resource.h"

namespace godwit::standalone {

// Structural OpenAPI v3 without references: of the two resources that of their CRD, of the built-in kinds from a
// compact table. Null for a kind without one.
const Json* fieldSchemaOf(const kube::ResourceType& type);
const Json& metadataSchema();       // of every object's metadata
const Json& deleteOptionsSchema();  // of the body of a DELETE

// Removes what the kind's schema and metadataSchema() do not know, and says of each `unknown field "PATH"`.
std::vector<std::string> pruneUnknown(const kube::ResourceType& type, Json& object);

}  // namespace godwit::standalone
