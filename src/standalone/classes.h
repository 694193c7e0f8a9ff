// The classes that exist from the start: `godwit` (default) and the seed's `my-sc` and `my-vsc`.
#pragma once
#include "kube/api.h"

namespace godwit::standalone {

// Creates what is missing; leaves what is there as its owner changed it.
Result<void> seedClasses(kube::Api& api);

}  // namespace godwit::standalone
