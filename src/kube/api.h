// The narrow door to a Kubernetes API server. Implementations: standalone::Store (in this process) and kube::HttpApi.
// There is no update: a trimmed copy must never erase what someone else set (design rule 3). All calls block and may be
// made from any thread. Errors carry the server's message; codes as in base/result.h.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "kube/resource.h"

namespace godwit::kube {

struct ListOptions {
  std::string ns;             // empty: all namespaces
  std::string labelSelector;  // "a=b,c!=d,e,!f,g in (h,i)"
  std::string
      fieldSelector;  // metadata.name=..., metadata.namespace=..., involvedObject.*, spec.nodeName, status.phase
  int limit = 0;      // page size; 0: everything
  std::string continueToken;
  // What the server last heard of will do: as late as a watch is. Without it a real server first asks its database how
  // far it has to have heard, and then waits up to a tenth of a second until it has.
  bool mayLag = false;
};

struct List {
  std::vector<Json> items;      // each with apiVersion and kind
  std::string resourceVersion;  // watch from here
  std::string continueToken;    // not empty: there is more
};

struct WatchOptions {
  std::string ns, labelSelector, fieldSelector;
  std::string resourceVersion;  // events after this one; empty or "0": synthetic Added for what exists, then on
  bool bookmarks = true;
};

struct WatchEvent {
  enum class Type { Added, Modified, Deleted, Bookmark };
  Type type;
  Json object;  // Bookmark: only metadata.resourceVersion is meant
};

class Watch {
 public:
  virtual ~Watch() = default;
  // The next event in order. nullopt: none within `timeout` (0 = only look). Gone: list again. Unavailable: the
  // stream ended; watch again from the last resourceVersion. Cancelled: after cancel().
  virtual Result<std::optional<WatchEvent>> next(std::chrono::milliseconds timeout) = 0;
  virtual void cancel() = 0;  // any thread; wakes next()
};

enum class Subresource { None, Status };

struct DeleteOptions {
  std::string uid, resourceVersion;  // preconditions; Conflict when they do not hold
  enum class Propagation { Background, Foreground, Orphan } propagation = Propagation::Background;
  // Pods only. A pod that a node runs is first marked (deletionTimestamp) and leaves when its node, having stopped it,
  // deletes it with 0. Absent: spec.terminationGracePeriodSeconds, or 30.
  std::optional<std::int64_t> gracePeriodSeconds;
};

struct LogOptions {
  std::string container;
  std::optional<int> tailLines;
  std::optional<std::int64_t> limitBytes;
};

class Api {
 public:
  virtual ~Api() = default;
  virtual Result<Json> get(const ResourceType& type, const NamespacedName& key) = 0;
  virtual Result<List> list(const ResourceType& type, const ListOptions& options) = 0;
  virtual Result<std::unique_ptr<Watch>> watch(const ResourceType& type, const WatchOptions& options) = 0;
  // `object` carries metadata.namespace and name or generateName. Returns what was stored. AlreadyExists, Invalid,
  // NotFound (namespace), Forbidden (quota, namespace terminating).
  virtual Result<Json> create(const ResourceType& type, const Json& object) = 0;
  // RFC 7386. metadata.resourceVersion in the patch is an optimistic lock: Conflict when it is not the stored one.
  virtual Result<Json> patch(const ResourceType& type, const NamespacedName& key, const Json& mergePatch,
                             Subresource subresource = Subresource::None) = 0;
  virtual Result<void> remove(const ResourceType& type, const NamespacedName& key, const DeleteOptions& options) = 0;
  virtual Result<std::string> logs(const NamespacedName& pod, const LogOptions& options) = 0;
};

}  // namespace godwit::kube
