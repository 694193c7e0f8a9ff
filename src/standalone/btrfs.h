// btrfs by its ioctls: subvolumes and their snapshots.
#pragma once
#include <string>

#include "base/result.h"

namespace godwit::standalone::btrfs {

bool isBtrfs(const std::string& path);
bool isSubvolume(const std::string& path);  // the root of one
// Both lie on one btrfs, in whichever of its subvolumes: a file of one can share the blocks of a file of the other.
bool sameFileSystem(int a, int b);
Result<void> createSubvolume(const std::string& path);
// `to` must not exist; on the same file system as `from`, which must be a subvolume. Whole and durable when it returns
// (the kernel commits the transaction), and not there at all before.
Result<void> snapshot(const std::string& from, const std::string& to, bool readOnly);
// With what is in it. Unsupported where an ordinary user may not (mount option user_subvol_rm_allowed).
Result<void> deleteSubvolume(const std::string& path);
Result<void> setReadOnly(const std::string& path, bool readOnly);

}  // namespace godwit::standalone::btrfs
