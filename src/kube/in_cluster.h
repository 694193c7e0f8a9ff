// A pod's own way to its API server: the service account that the kubelet mounts.
#pragma once
#include "kube/kubeconfig.h"

namespace godwit::kube {

inline constexpr const char* kServiceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount";

// From KUBERNETES_SERVICE_HOST and _PORT and the files in `dir` (ca.crt, token, namespace). NotFound outside a cluster.
Result<ClusterAccess> inClusterAccess(const std::filesystem::path& dir = kServiceAccountDir);

}  // namespace godwit::kube
