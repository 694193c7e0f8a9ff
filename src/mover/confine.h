// Paths that a peer names, held inside the volume.
#pragma once
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace godwit::mover {

// "." is the volume, "/x" and "x" are x inside it. Returns "." or "./x" with a trailing slash kept, and one for a last
// "/.". Forbidden for "..", Invalid for NUL or names longer than the kernel takes.
Result<std::string> confineName(std::string_view given);

// The volume's directory, opened. Error names the remedy.
Result<UniqueFd> openVolume(const std::string& data);

// Refuses (Forbidden) a path of which an existing component is a symlink, or that leaves the volume on the way.
// Components that do not exist yet are fine.
Result<void> checkBeneath(int volume, const std::string& relative);

// Makes the directory and its parents beneath the volume, never through a symlink.
Result<void> makeBeneath(int volume, const std::string& relative);

// Opens a directory beneath the volume, never through a symlink. NotFound when it does not exist.
Result<UniqueFd> openBeneath(int volume, const std::string& relative);

// Entries of an open directory, at most `limit`; at a volume's root `lost+found` is nobody's data and does not count.
Result<std::size_t> countEntries(int directory, bool isRoot, std::size_t limit);

}  // namespace godwit::mover
