// What an API server decides about an object's metadata, apart from where it is kept.
#pragma once
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "kube/api.h"

namespace godwit::standalone {

// `jobs.batch "x"`, as errors name an object.
std::string quoted(const kube::ResourceType& type, std::string_view name);
Error notFound(const kube::ResourceType& type, std::string_view name);
// `Job.batch "x" is invalid: <why>`; `why` begins with the field's path.
Error invalid(const kube::ResourceType& type, std::string_view name, std::string_view why);

// The object as a create stores it: identity, uid, creation time and generation by the server, status removed where
// only the status subresource may write it. A name is made from generateName (not yet known to be free).
Result<Json> asCreated(const kube::ResourceType& type, Json object, const Clock& clock, Random& random);

// `after` as an update may store it: identity kept, status or all else kept as the subresource demands, generation
// raised when the spec changed. Conflict when `after` carries another resourceVersion or uid than `before`.
Result<Json> asUpdated(const kube::ResourceType& type, const Json& before, Json after, kube::Subresource subresource);

// Names, labels, annotations, finalizers and owner references are well-formed.
Result<void> checkMetadata(const kube::ResourceType& type, const Json& object);

// Raises metadata.generation when anything but metadata and status differs (after admission had its say).
void countGeneration(const Json& before, Json& after);

bool isDeleting(const Json& object);
bool hasFinalizer(const Json& object, std::string_view finalizer);
// Nothing holds a deleting object any more.
bool isReleased(const kube::ResourceType& type, const Json& object);

}  // namespace godwit::standalone
