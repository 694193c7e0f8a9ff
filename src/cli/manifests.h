// Manifests from files into any API server: what `kubectl apply -f` does for the kinds Godwit knows.
#pragma once
#include <string>
#include <vector>

#include "kube/api.h"

namespace godwit::cli {

// The objects of a file, of every *.yaml, *.yml and *.json of a directory in the order of their names, or of stdin
// ("-"). Invalid names the file, and the line where the text is broken.
Result<std::vector<Json>> loadManifests(const std::string& fileOrDirectory);

enum class Applied { Created, Configured, Unchanged };
const char* name(Applied outcome);

// "replicationsource.volsync.backube/NAME", as kubectl calls an object.
std::string displayName(const Json& object);

// Creates the object or makes the stored one like it. Fields that an earlier apply set and this manifest no longer has
// are removed (annotation kubectl.kubernetes.io/last-applied-configuration, shared with kubectl); all else stays.
// Objects of a namespaced kind without a namespace go to `defaultNamespace`.
Result<Applied> applyManifest(kube::Api& api, Json object, const std::string& defaultNamespace = "default");

// Merge patch that makes a live object say what `wanted` says, and removes what only `before` (the last applied) said.
Json applyPatch(const Json& before, const Json& wanted);

}  // namespace godwit::cli
