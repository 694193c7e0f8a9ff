// Where volumes live on this machine: on btrfs if there is one or can be, else in plain directories.
#pragma once
#include <memory>
#include <string>

#include "standalone/volumes.h"

namespace godwit::standalone {

struct PoolOptions {
  enum class Kind { Auto, Btrfs, Directory } kind = Kind::Auto;
  std::int64_t imageBytes = 0;  // of DATA_DIR/pool.img; 0: nine tenths of what the file system has free, sparse
};

struct Pool {
  std::unique_ptr<Volumes> volumes;
  std::string description;  // one line for people: what it is, where, and whether copies are points in time
};

// DATA_DIR on btrfs: subvolumes there. Else as root, where loop devices work: a btrfs in the sparse file
// DATA_DIR/pool.img, mounted at DATA_DIR/pool; an image that exists is always used, so that its volumes do not vanish.
// Else directories. Kind::Btrfs fails where Auto would fall back, and says why.
Result<Pool> openPool(const std::string& dataDir, const PoolOptions& options = {});

// Unmounts the image, if one is mounted; busy mounts are left, detached.
void closePool(const std::string& dataDir);

}  // namespace godwit::standalone
