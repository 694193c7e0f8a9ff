// What may be stored: validation and defaults of every kind, as an API server's.
#pragma once
#include "standalone/store.h"

namespace godwit::standalone {

// Makes `store` hold objects to the rules of their kinds from now on.
void installAdmission(Store& store);

// Puts the CustomResourceDefinitions of the two resources into `store`, or brings them up to date.
Result<void> seedCustomResourceDefinitions(Store& store);

// --- the rules of single kinds; `before` is null on create. Errors are those of invalid() in store_rules.h.
struct Admitted {
  const kube::ResourceType& type;
  const Json* before;
  Json& after;

  std::string name() const { return text(after, "metadata", "name"); }
  Error refuse(std::string_view field, std::string_view why) const;
  Error required(std::string_view field, std::string_view why = "must be given") const {
    return refuse(field, "Required value: " + std::string(why));
  }
  // The value at "spec" as an object. Invalid when it is something else or missing.
  Result<Json*> spec() const;
};

Result<void> admitSecret(const Admitted& a);
Result<void> admitConfigMap(const Admitted& a);
Result<void> admitClaim(const Admitted& a);
Result<void> admitVolume(const Admitted& a);
Result<void> admitStorageClass(const Admitted& a);
Result<void> admitSnapshot(const Admitted& a);
Result<void> admitSnapshotClass(const Admitted& a);
Result<void> admitPod(const Admitted& a);
Result<void> admitJob(const Admitted& a);
Result<void> admitService(const Admitted& a);
Result<void> admitRoleBinding(const Admitted& a);
Result<void> admitDefinition(const Admitted& a);
Result<void> admitReplication(const Admitted& a);

// --- helpers they share
void defaultTo(Json& object, const char* key, Json value);  // when absent or null
// Invalid when the values at `field` differ. Absent counts as null.
Result<void> keepField(const Admitted& a, const Json& before, const Json& after, const char* parent, const char* key);
Result<void> checkAccessModes(const Admitted& a, const Json& spec);
Result<std::int64_t> checkStorage(const Admitted& a, const std::string& field, const Json* quantity);

}  // namespace godwit::standalone
