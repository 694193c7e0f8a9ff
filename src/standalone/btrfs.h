// btrfs by its ioctls: subvolumes and their snapshots.
#pragma once
#include <string>

#include "base/result.h"

namespace godwit::standalone::btrfs {

bool isBtrfs(const std::string& path);
bool isSubvolume(const std::string& path);  // the root of one
Result<void> createSubvolume(const std::string& path);
// `to` must not exist; on the same file system as `from`, which must be a subvolume.
Result<void> snapshot(const std::string& from, const std::string& to, bool readOnly);
// With what is in it. Unsupported where an ordinary user may not (mount option user_subvol_rm_allowed).
Result<void> deleteSubvolume(const std::string& path);
Result<void> setReadOnly(const std::string& path, bool readOnly);

}  // namespace godwit::standalone::btrfs
