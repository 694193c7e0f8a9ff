// The patches of a PATCH request.
#pragma once
#include "standalone/rest_verbs.h"

namespace godwit::standalone {

// What a request's patch does to an object, by its content type: merge patch (RFC 7386), JSON patch (RFC 6902), and for
// the built-in kinds strategic merge patch. Unsupported: another type; Invalid: a body that is no such patch.
Result<Store::Change> patchOf(const RestContext& context);

}  // namespace godwit::standalone
