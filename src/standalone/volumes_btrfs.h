// Volumes as btrfs subvolumes: a snapshot or a clone of one of them is made at once and is a point in time. Any other
// directory (a user's hostPath) is copied into a subvolume as DirectoryVolumes does.
#pragma once
#include <memory>

#include "standalone/volumes_directory.h"

namespace godwit::standalone {

class BtrfsVolumes final : public DirectoryVolumes {
 public:
  // `below`: a directory on the file system that holds the image which `dir` is the mount of; empty: there is no image.
  static Result<std::unique_ptr<BtrfsVolumes>> open(const std::string& dir, const std::string& below = {});

 private:
  using DirectoryVolumes::DirectoryVolumes;
  Result<void> makeEmpty(const std::string& path) override;
  Result<void> destroy(const std::string& path) override;
  Result<void> seal(const std::string& temporary, const std::string& path, bool readOnly) override;
  Result<void> unseal(const std::string& path) override;
  std::optional<Result<void>> cloneAtOnce(const std::string& from, const std::string& to, bool readOnly) override;
};

}  // namespace godwit::standalone
