// Store's inside, shared by the files that implement it.
#pragma once
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "standalone/journal.h"
#include "standalone/store.h"
#include "standalone/store_rules.h"
#include "standalone/store_world.h"

namespace godwit::standalone {

struct Store::Impl {
  Impl(const StoreOptions& options, const Clock& clockIn, Random& randomIn)
      : clock(clockIn), random(randomIn), world(std::make_shared<World>(options.historyLimit)) {}

  const Clock& clock;
  Random& random;
  std::shared_ptr<World> world;
  std::unique_ptr<Journal> journal;  // null: memory only
  std::vector<Admission> admissions;
  LogSource logSource;

  std::mutex writing;  // one writer at a time; readers only ever see what is durable

  // All below: with `writing` held.
  Result<Object> find(const kube::ResourceType& type, const kube::NamespacedName& key) const;
  Result<void> admit(const kube::ResourceType& type, const Json* before, Json& after) const;
  // Writes `after` (null: deletes, showing `final` to watches) and returns what is now stored, or was last.
  Result<Json> commit(const kube::ResourceType& type, Object before, std::optional<Json> after, Json final,
                      Commit mode);
  Result<Json> create(const kube::ResourceType& type, const Json& object, Commit mode);
  Result<Json> update(const kube::ResourceType& type, const kube::NamespacedName& key, const Change& change,
                      kube::Subresource subresource, Commit mode);
  Result<Json> remove(const kube::ResourceType& type, const kube::NamespacedName& key,
                      const kube::DeleteOptions& options, Commit mode);
  // An update of the server's own: no admission, no identity checks; deletes what is thereby released.
  Result<Json> amend(const kube::ResourceType& type, const Object& before, Json after, Commit mode);
  Result<void> checkNamespace(const kube::ResourceType& type, const Json& object) const;
  Result<void> load();

  // Garbage: raised by any write that may have made some.
  void raiseGarbage();
  std::mutex garbageMutex;
  std::condition_variable_any garbageRaised;
  bool garbage = true;
};

}  // namespace godwit::standalone
