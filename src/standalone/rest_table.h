// Server-side printing: objects as meta.k8s.io/v1 Tables with the columns that kubectl's users know.
#pragma once
#include <string>
#include <vector>

#include "base/clock.h"
#include "kube/resource.h"

namespace godwit::standalone {

// What each row carries besides its cells (query parameter includeObject; kubectl asks for Object to sort and watch).
enum class IncludeObject { None, Metadata, Object };

// A Table of `items`, all of `type`. `listMeta` is the list's (resourceVersion, continue, ...) or a single object's
// resourceVersion. Ages are relative to `now`. Cells of missing fields read as kubectl prints them ("<none>").
Json table(const kube::ResourceType& type, const std::vector<Json>& items, Json listMeta, IncludeObject include,
           TimePoint now);

}  // namespace godwit::standalone
