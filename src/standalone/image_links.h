// DIR/NAMESPACE/NAME/latest -> the data of a ReplicationDestination's newest image, switched atomically.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "standalone/loop.h"

namespace godwit::standalone {

class ImageLinks final : public Controller {
 public:
  ImageLinks(Cluster& cluster, const Volumes& volumes, const Clock& clock, std::string dir)
      : cluster_(cluster), volumes_(volumes), dir_(std::move(dir)), backoffs_(clock) {}
  bool step() override;
  std::optional<Duration> nextDelay() const override { return backoffs_.nextDelay(); }
  // Whether readers still come to `path`, the data of that image, by a link that is about to be switched: its
  // destination has a newer image, and this machine has not seen it yet. What is so may not be deleted.
  Result<bool> holds(const std::string& path, std::string_view kind, const std::string& name) const;

 private:
  std::vector<kube::NamespacedName> pointingTo(const std::string& path) const;
  std::string targetOf(const Json& destination) const;  // empty: no image, or its objects are not there yet
  void sweep(const std::set<std::string>& wanted);

  Cluster& cluster_;
  const Volumes& volumes_;
  std::string dir_;
  Backoffs backoffs_;
};

// Makes `link` point to `target` by renaming a new symlink over it; directories above it are created. True if it
// pointed elsewhere before.
Result<bool> switchLink(const std::string& link, const std::string& target);

}  // namespace godwit::standalone
