// Volumes whose content is what a numbered writer left in them: how many of its writes, whose, and whether a copy into
// them is half done. Survives the death of every component, as a disk does.
#pragma once
#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "standalone/volumes.h"

namespace godwit::sim {

struct Content {
  std::string origin;       // the source volume the writes were made to; empty: nothing was ever written
  std::int64_t writes = 0;  // 1..writes are in it
  bool torn = false;        // a copy into it has begun and has not ended
  bool received = false;    // a copy into it has ended
};

class Disk final : public standalone::Volumes {
 public:
  Disk(std::string root, const Clock& clock, Random& random) : root_(std::move(root)), clock_(clock), random_(random) {}

  double failure = 0;   // probability that a call fails and does nothing
  double changing = 0;  // probability that a copy says it is not of one instant
  Duration slowest{0};  // a clone or snapshot takes up to this long; asking meanwhile gets Unavailable
  std::function<bool(const std::string& path)> inUse;          // by a container
  std::function<void(const std::string& complaint)> complain;  // what a disk must never see

  Content* at(const std::string& path);  // nullptr when there is no such volume or snapshot
  const std::map<std::string, Content>& all() const { return contents_; }

  Result<void> createVolume(const std::string& handle, std::int64_t bytes) override;
  Result<standalone::PointInTime> cloneVolume(const std::string& handle, const std::string& fromPath) override;
  Result<void> restoreVolume(const std::string& handle, const std::string& snapshot) override;
  Result<void> deleteVolume(const std::string& handle) override;
  Result<standalone::PointInTime> createSnapshot(const std::string& handle, const std::string& fromPath) override;
  Result<void> deleteSnapshot(const std::string& handle) override;
  Result<std::int64_t> size(const std::string& handle) override;
  std::string volumePath(const std::string& handle) const override { return root_ + "/volumes/" + handle; }
  std::string snapshotPath(const std::string& handle) const override { return root_ + "/snapshots/" + handle; }

 private:
  struct Pending {
    Duration due;
    Content content;  // frozen when the copy was asked for
  };
  Result<void> mayFail(const char* what, const std::string& handle);
  Result<standalone::PointInTime> copy(const std::string& to, const std::string& from);
  Result<void> erase(const std::string& path);

  std::string root_;
  const Clock& clock_;
  Random& random_;
  std::map<std::string, Content> contents_;  // by path
  std::map<std::string, Pending> pending_;   // by the path to be
};

}  // namespace godwit::sim
