// The embedded API server's heart: every object, with Kubernetes' semantics, behind kube::Api. In memory with an
// optional SQLite journal: a write is acknowledged only after it is durable there.
//
// Semantics (what the Api contract suite in test/contract proves): one growing resourceVersion for all writes; uid,
// creationTimestamp, generation (spec changes only) and managed metadata set by the server; optimistic concurrency;
// status subresource (a main write keeps status, a status write keeps all else); no-op writes change nothing;
// finalizers and deletionTimestamp; ownerReferences collected in background, foreground or orphaned; namespaces that
// empty themselves when deleted; generateName; watch history of bounded length, 410 Gone before it; label and field
// selectors; admission hooks.
#pragma once
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"

namespace godwit::standalone {

struct StoreOptions {
  std::string database;                        // SQLite file; empty: memory only
  std::size_t historyLimit = 4096;             // changes kept for watches
  std::function<Result<void>()> journalFault;  // for tests: asked before each commit; an error fails the write
};

class Store final : public kube::Api {
 public:
  // Opens or creates, with the namespaces default and kube-system. Conflict: another process holds the data; Invalid:
  // the file is damaged (message says how to go on).
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options, const Clock& clock, Random& random);
  ~Store() override;

  // Admission: may default or refuse an object before it is stored. `before` is null on create.
  using Admission = std::function<Result<void>(const kube::ResourceType& type, const Json* before, Json& after)>;
  void addAdmission(Admission admission);

  // Pod logs come from the node.
  using LogSource = std::function<Result<std::string>(const kube::NamespacedName&, const kube::LogOptions&)>;
  void setLogSource(LogSource source);

  enum class Commit { Write, DryRun };  // DryRun: everything but the write

  // Read-modify-write of one object in one transaction, for PUT, JSON patch and strategic merge of the REST face.
  // `change` edits a copy; an error leaves the object as it was.
  using Change = std::function<Result<void>(Json& object)>;
  Result<Json> modify(const kube::ResourceType& type, const kube::NamespacedName& key, const Change& change,
                      kube::Subresource subresource = kube::Subresource::None, Commit commit = Commit::Write);

  // create and remove as the REST face needs them: dry runs, and the object as remove left it (deleting) or found it.
  Result<Json> create(const kube::ResourceType& type, const Json& object, Commit commit);
  Result<Json> remove(const kube::ResourceType& type, const kube::NamespacedName& key,
                      const kube::DeleteOptions& options, Commit commit);

  // One round of garbage collection: orphans of dead owners, foreground deletions, emptied namespaces. True if it
  // changed anything; costs nothing when no write since the last round can have made garbage. Events older than an
  // hour go too. Called by the simulation's stepper; the standalone process runs collectGarbageUntil in a thread.
  bool collectGarbage();
  void collectGarbageUntil(std::stop_token stop);  // whenever there may be some; returns when asked to stop

  // The number of the latest write, as resourceVersion.
  std::string resourceVersion() const;

  Result<Json> get(const kube::ResourceType& type, const kube::NamespacedName& key) override;
  Result<kube::List> list(const kube::ResourceType& type, const kube::ListOptions& options) override;
  Result<std::unique_ptr<kube::Watch>> watch(const kube::ResourceType& type,
                                             const kube::WatchOptions& options) override;
  Result<Json> create(const kube::ResourceType& type, const Json& object) override;
  Result<Json> patch(const kube::ResourceType& type, const kube::NamespacedName& key, const Json& mergePatch,
                     kube::Subresource subresource = kube::Subresource::None) override;
  Result<void> remove(const kube::ResourceType& type, const kube::NamespacedName& key,
                      const kube::DeleteOptions& options) override;
  Result<std::string> logs(const kube::NamespacedName& pod, const kube::LogOptions& options) override;

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::standalone
