// What the server says about itself: version, health, groups and resources.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "standalone/rest_types.h"

namespace godwit::standalone {

// The answer to a discovery path, or nullopt when `path` is none.
std::optional<RestReply> discover(const http::Request& request);

// As kubectl users know a kind: "pvc" and the like; categories.
std::vector<std::string> shortNames(const kube::ResourceType& type);
std::vector<std::string> verbsOf(const kube::ResourceType& type);

// Every group/version that is served: "v1", "apps/v1", ... in the order of discovery.
std::vector<std::string> groupVersions();

}  // namespace godwit::standalone
