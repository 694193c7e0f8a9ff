// Where volumes live: a narrow door between the storage controllers and the file tree (or a simulated one).
// A volume and a snapshot are known by a handle ("pvc-<uid>", "snap-<uid>"); every call is idempotent by handle, so
// that a controller killed between the act and its record can simply ask again.
#pragma once
#include <cstdint>
#include <string>

#include "base/result.h"

namespace godwit::standalone {

enum class PointInTime { Yes, No };  // No: files changed while they were copied

class Volumes {
 public:
  virtual ~Volumes() = default;
  // `bytes` is a request: nothing is reserved, an empty volume fits everywhere. Copies compare what they need with what
  // is free and fail before they begin (message with both figures).
  virtual Result<void> createVolume(const std::string& handle, std::int64_t bytes) = 0;
  virtual Result<PointInTime> cloneVolume(const std::string& handle, const std::string& fromPath) = 0;
  virtual Result<void> restoreVolume(const std::string& handle, const std::string& snapshot) = 0;
  virtual Result<void> deleteVolume(const std::string& handle) = 0;  // absent is fine
  virtual Result<PointInTime> createSnapshot(const std::string& handle, const std::string& fromPath) = 0;
  virtual Result<void> deleteSnapshot(const std::string& handle) = 0;  // absent is fine
  virtual Result<std::int64_t> size(const std::string& handle) = 0;    // bytes in use by a volume or snapshot
  virtual std::string volumePath(const std::string& handle) const = 0;
  virtual std::string snapshotPath(const std::string& handle) const = 0;
};

}  // namespace godwit::standalone
