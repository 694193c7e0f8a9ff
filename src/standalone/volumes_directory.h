// Volumes as directories: DIR/volumes/HANDLE, DIR/snapshots/HANDLE. Copies by reflink where the file system can, else
// byte by byte; what is half done has another name until it is whole.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "standalone/copy_tree.h"
#include "standalone/volumes.h"

namespace godwit::standalone {

class DirectoryVolumes : public Volumes {
 public:
  // Creates the directories and removes what an earlier life left half done.
  static Result<std::unique_ptr<DirectoryVolumes>> open(const std::string& dir);

  Result<void> createVolume(const std::string& handle, std::int64_t bytes) override;
  Result<PointInTime> cloneVolume(const std::string& handle, const std::string& fromPath) override;
  Result<void> restoreVolume(const std::string& handle, const std::string& snapshot) override;
  Result<void> deleteVolume(const std::string& handle) override;
  Result<PointInTime> createSnapshot(const std::string& handle, const std::string& fromPath) override;
  Result<void> deleteSnapshot(const std::string& handle) override;
  Result<std::int64_t> size(const std::string& handle) override;
  std::string volumePath(const std::string& handle) const override { return dir_ + "/volumes/" + handle; }
  std::string snapshotPath(const std::string& handle) const override { return dir_ + "/snapshots/" + handle; }

 protected:
  DirectoryVolumes(std::string dir, std::string below) : dir_(std::move(dir)), below_(std::move(below)) {}
  Result<void> prepare();
  // An empty directory to fill, the removal of a whole one, and what a finished copy becomes: a plain directory here.
  virtual Result<void> makeEmpty(const std::string& path);
  virtual Result<void> destroy(const std::string& path);
  virtual Result<void> seal(const std::string& temporary, const std::string& path, bool readOnly);
  virtual Result<void> unseal(const std::string&) { return {}; }  // so that it can be moved and removed
  // The whole tree at once under its final name and durable, where the pool can: nullopt when this source must be
  // copied.
  virtual std::optional<Result<void>> cloneAtOnce(const std::string& from, const std::string& to, bool readOnly);
  const std::string& dir() const { return dir_; }

 private:
  Result<PointInTime> copyInto(const std::string& from, const std::string& path, bool readOnly);
  Result<void> publish(const std::string& path, bool readOnly);
  Result<void> discard(const std::string& path);
  std::string dir_;
  std::string below_;  // on the file system that holds the pool's image; empty: there is none
};

// A handle is one path component of letters, digits, '-', '.' and '_'; anything else is Invalid.
Result<void> checkHandle(const std::string& handle);

}  // namespace godwit::standalone
