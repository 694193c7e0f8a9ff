// Looks at every write that touches a replication or an image, in order, and says what must never be so.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/replication.h"
#include "sim/site.h"

namespace godwit::sim {

class Inspector {
 public:
  Inspector(Site& site, std::function<void(const std::string&)> complain);
  void look();  // at what has been written since the last time

  // Finished iterations of sources whose data has arrived, by their status.
  std::int64_t iterations() const { return iterations_; }
  // A mover's container starts: its object must be synchronizing.
  void started(const Mover& mover);
  std::function<void()> changed = [] {};  // a destination's status or spec

 private:
  struct Published {
    std::string origin;
    std::int64_t writes = 0;
  };
  using Key = std::pair<api::Role, api::NamespacedName>;
  void replication(api::Role role, const kube::WatchEvent& event);
  void going(std::string_view kind, const api::ObjectMeta& meta);  // a snapshot or a claim
  void progress(const api::Replication* before, const api::Replication& now);
  void image(const api::Replication* before, const api::Replication& now);
  void conditions(const api::Replication& object);
  void complainAbout(const api::Replication& object, const std::string& what);

  Site& site_;
  std::function<void(const std::string&)> complain_;
  std::vector<std::pair<const kube::ResourceType*, std::unique_ptr<kube::Watch>>> watches_;
  std::map<Key, api::Replication> seen_;
  std::map<std::string, Published> published_;  // by the destination's uid
  std::int64_t iterations_ = 0;
};

}  // namespace godwit::sim
