// What decides about claims and volumes, without touching either.
#pragma once
#include <string>

#include "standalone/cluster.h"
#include "standalone/pod_spec.h"

namespace godwit::standalone {

inline constexpr const char* kClaimProtection = "kubernetes.io/pvc-protection";
inline constexpr const char* kVolumeProtection = "kubernetes.io/pv-protection";

std::string poolHandle(const Json& pvc);       // "pvc-<uid>", also the PersistentVolume's name
std::int64_t requestedBytes(const Json& pvc);  // 0 when absent or unreadable
std::int64_t capacityOf(const Json& volume);

// The PersistentVolume of the pool for a claim, not yet filled.
Json poolVolume(const Json& pvc, const Json& storageClass, const std::string& path);
// Made by the pool for this very claim.
bool isPoolVolumeOf(const Json& volume, const Json& pvc);
// spec.claimRef names this claim (and, where it has a uid, this one and no earlier one).
bool claims(const Json& volume, const Json& pvc);

struct DataSource {
  std::string group, kind, name;  // kind empty: none
};
DataSource dataSourceOf(const Json& pvc);  // spec.dataSourceRef, else spec.dataSource
bool filledByOthers(const Json& pvc);      // a data source of a kind the pool does not know: a populator's

// Why a user-made volume cannot be bound to the claim, with the remedy; empty when it can.
std::string whyNotBindable(const Json& volume, const Json& pvc, bool checkHostPath);

}  // namespace godwit::standalone
