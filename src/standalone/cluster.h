// What the controllers of this room see: a mirror of the kinds they work with, fed by list and watch, that also holds
// their own writes before the watch brings them back. Objects are shared and never change.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "kube/api.h"
#include "kube/cache.h"

namespace godwit::standalone {

using Object = std::shared_ptr<const Json>;

// One kind. Older versions never replace newer ones; resourceVersions are the embedded store's, hence numbers.
class Mirror final : public kube::Sink {
 public:
  Object get(const kube::NamespacedName& key) const;
  std::vector<Object> list() const;
  // What the server answered to our write. Ignored when the watch is already past it: the object may be gone since.
  void wrote(const Json& object);

  void begin() override { listed_.clear(); }
  void page(const std::vector<Json>& items) override;
  void finish(const std::string& version) override;
  void upsert(const Json& object) override;
  void erase(const Json& object) override;

 private:
  mutable std::mutex mutex_;
  std::map<kube::NamespacedName, Object> objects_;
  std::map<kube::NamespacedName, Object> listed_;  // by a list that has not ended
  std::int64_t seen_ = 0;                          // newest resourceVersion the watch has brought
};

class Cluster {
 public:
  explicit Cluster(kube::Api& api);
  ~Cluster();

  kube::Api& api() { return api_; }
  Object get(const kube::ResourceType& type, const kube::NamespacedName& key) const;
  std::vector<Object> list(const kube::ResourceType& type) const;

  // Writes that the mirror shows at once. patch() writes nothing when the mirrored object already says so, and returns
  // whether it wrote. create() treats AlreadyExists as an error like any other.
  Result<bool> patch(const kube::ResourceType& type, const Json& object, const Json& mergePatch,
                     kube::Subresource subresource = kube::Subresource::None);
  Result<Json> create(const kube::ResourceType& type, const Json& object);
  // With the object's uid as precondition. False: it was gone already or this has been asked for, and only the mirror
  // does not know yet.
  Result<bool> remove(const kube::ResourceType& type, const Json& object);
  // Straight from the server, for decisions that a late mirror must not make. nullopt: there is none.
  Result<std::optional<Json>> fresh(const kube::ResourceType& type, const kube::NamespacedName& key);

  bool synced() const;  // every kind has been listed once
  bool pump();          // simulation: takes in every event that is there, without waiting; true if there was one
  // Production: follows every kind on a thread of its own until `stop`, calling `changed` after each event.
  void run(std::stop_token stop, const std::function<void()>& changed);

 private:
  struct Followed;
  Followed* followed(const kube::ResourceType& type) const;
  kube::Api& api_;
  std::vector<std::unique_ptr<Followed>> kinds_;
  std::map<std::string, std::string>
      asked_;  // uid and resourceVersion of what was removed while the mirror still has it
};

}  // namespace godwit::standalone
