// The objects as they stand and the recent past of their changes: what readers and watches see. Readers never wait
// for the disk: a writer makes its change durable first, then enters it here.
#pragma once
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "kube/api.h"
#include "standalone/selector.h"

namespace godwit::standalone {

using Object = std::shared_ptr<const Json>;

// A change of one object. `after` is null only while it is gone; `final` is then what the last watchers are shown.
struct Change {
  std::uint64_t version = 0;
  std::size_t type = 0;  // index in kube::resources::all()
  kube::NamespacedName key;
  Object before, after;
  Object final;
};

class World {
 public:
  explicit World(std::size_t historyLimit);

  // Loading, before anybody looks: one object, and the counter as the journal left it.
  void restore(std::size_t type, Object object);
  void startAt(std::uint64_t version);

  void apply(Change change);
  void close();  // every watch ends

  Object get(std::size_t type, const kube::NamespacedName& key) const;
  struct Snapshot {
    std::uint64_t version = 0;
    std::vector<Object> objects;  // by namespace, then name
  };
  // Of one namespace, or of all when `ns` is empty; those after `after` only.
  Snapshot list(std::size_t type, const std::string& ns, const kube::NamespacedName& after = {}) const;
  std::uint64_t version() const;
  bool remembers(std::uint64_t version) const;  // a watch can start after it

  // A watch's read position in the history.
  struct Cursor {
    std::size_t type;
    std::string ns;
    Selector selector;
    std::uint64_t version;   // everything up to here has been seen
    bool cancelled = false;  // guarded by the world's mutex
  };
  // The next change that concerns the cursor. Gone, Unavailable (closed) and Cancelled as kube::Watch says.
  Result<std::optional<kube::WatchEvent>> next(Cursor& cursor, std::chrono::milliseconds timeout);
  void cancel(Cursor& cursor);

 private:
  std::optional<kube::WatchEvent> scan(Cursor& cursor) const;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::map<kube::NamespacedName, Object>> objects_;
  std::deque<Change> history_;  // versions rise by one from entry to entry
  std::size_t historyLimit_;
  std::uint64_t version_ = 0;
  std::uint64_t forgotten_ = 0;  // the history begins after this version
  bool closed_ = false;
};

std::unique_ptr<kube::Watch> openWatch(std::shared_ptr<World> world, World::Cursor cursor, std::vector<Object> first,
                                       bool bookmarks);

std::size_t indexOf(const kube::ResourceType& type);  // all().size() when unknown

}  // namespace godwit::standalone
