// The directory that a transfer fills, where it belongs to somebody else: a volume's root that an unprivileged mover
// may write to by its group. Its time, mode and ACL are its owner's to set, and rsync would call every transfer
// incomplete for that (code 23).
//
// rsync has no option that leaves the top directory alone, a pod without privileges gets no user namespace, and to read
// from rsync's messages that nothing else failed would mean to know them all, in every version, and those of the other
// end, which it does not repeat here. So the failure is taken away where it happens: the calls that set attributes
// succeed for this one directory although the kernel refuses (preload/foreign_root_calls.cpp). What rsync ends with
// stays its own verdict on all the rest. Where the library cannot be loaded, rsync fails as it did.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace godwit::mover {

// What users are told of it.
inline constexpr std::string_view kForeignRoot =
    "the directory that is filled belongs to somebody else at the destination: its own time, mode and ACL are not kept";

// Whether the open directory's attributes are not ours to set, because neither root nor its owner runs here.
bool isForeign(int directory);

// The library, as a file that the forced command finds in the destination's private directory.
inline constexpr const char* kForeignRootLibrary = "foreign_root.so";
Result<void> writeForeignRootLibrary(const std::string& path);

// Puts the library that lies at `library` into the environment of an rsync that fills the open `directory`.
void spareForeignRoot(std::vector<std::string>& environment, const std::string& library, int directory);

}  // namespace godwit::mover
