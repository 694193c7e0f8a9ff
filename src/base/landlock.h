// Landlock: a process gives up, for itself and all its children, every file that is not named.
#pragma once
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace godwit {

struct LandlockRule {
  enum class Access { ReadOnly, ReadWrite };
  std::string path;  // a directory with all beneath it, or one file
  Access access = Access::ReadOnly;
};

// The kernel's Landlock ABI (1, 2, ...); 0 where it has none or it is switched off.
int landlockAbi();

// Confines the calling thread (and what it execs or forks) to `rules`: reading and executing, plus for ReadWrite every
// change, including renames between directories. Paths that do not exist are left out. Sets no_new_privs. Returns the
// ABI that is in force; Unsupported where there is none, and the caller decides whether to go on. ABI 1 refuses
// renames and hard links between directories (EXDEV), and ABI 1 and 2 do not see truncate().
Result<int> applyLandlock(const std::vector<LandlockRule>& rules);

// The same in two steps, for a child between fork and exec: enterLandlock() is async-signal-safe, false with errno.
Result<UniqueFd> landlockRuleset(const std::vector<LandlockRule>& rules);
bool enterLandlock(int ruleset);

}  // namespace godwit
