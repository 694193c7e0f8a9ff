// Volumes in memory: the content of a volume is one string (a version number, say), by path. Copies are instantaneous
// and point in time unless told otherwise.
#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>

#include "standalone/volumes.h"

namespace godwit::sim {

class FakeVolumes final : public standalone::Volumes {
 public:
  std::map<std::string, std::string> data;  // by path; hostPath volumes too
  std::set<std::string> torn;               // paths whose copies are not point in time
  // Asked before each operation ("create", "clone", "restore", "delete", "snapshot", "deleteSnapshot"); an error is
  // the operation's. A slow pool answers Unavailable until it is ready.
  std::function<Result<void>(const std::string& operation, const std::string& handle)> gate;

  Result<void> createVolume(const std::string& handle, std::int64_t) override {
    GODWIT_TRY(pass("create", handle));
    data.try_emplace(volumePath(handle));
    return {};
  }
  Result<standalone::PointInTime> cloneVolume(const std::string& handle, const std::string& fromPath) override {
    return copy("clone", handle, fromPath, volumePath(handle));
  }
  Result<void> restoreVolume(const std::string& handle, const std::string& snapshot) override {
    GODWIT_TRY(copy("restore", handle, snapshotPath(snapshot), volumePath(handle)));
    return {};
  }
  Result<void> deleteVolume(const std::string& handle) override {
    GODWIT_TRY(pass("delete", handle));
    data.erase(volumePath(handle));
    return {};
  }
  Result<standalone::PointInTime> createSnapshot(const std::string& handle, const std::string& fromPath) override {
    return copy("snapshot", handle, fromPath, snapshotPath(handle));
  }
  Result<void> deleteSnapshot(const std::string& handle) override {
    GODWIT_TRY(pass("deleteSnapshot", handle));
    data.erase(snapshotPath(handle));
    return {};
  }
  Result<std::int64_t> size(const std::string& handle) override {
    for (const auto& path : {volumePath(handle), snapshotPath(handle)}) {
      if (const auto it = data.find(path); it != data.end()) return static_cast<std::int64_t>(it->second.size());
    }
    return Error{Errc::NotFound, "no volume or snapshot " + handle};
  }
  std::string volumePath(const std::string& handle) const override { return "/volumes/" + handle; }
  std::string snapshotPath(const std::string& handle) const override { return "/snapshots/" + handle; }

 private:
  Result<void> pass(const std::string& operation, const std::string& handle) {
    return gate ? gate(operation, handle) : Result<void>();
  }
  Result<standalone::PointInTime> copy(const char* operation, const std::string& handle, const std::string& from,
                                       const std::string& to) {
    GODWIT_TRY(pass(operation, handle));
    if (!data.contains(to)) {  // idempotent by handle: what exists is finished
      const auto source = data.find(from);
      if (source == data.end()) return Error{Errc::NotFound, from + ": no such volume"};
      data[to] = source->second;
    }
    return torn.contains(from) ? standalone::PointInTime::No : standalone::PointInTime::Yes;
  }
};

}  // namespace godwit::sim
