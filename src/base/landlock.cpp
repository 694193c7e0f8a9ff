#include "base/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"

namespace godwit {

namespace {

// Newer than Debian 12's headers; the kernel at run time decides by its ABI.
constexpr std::uint64_t kRefer = 1ULL << 13, kTruncate = 1ULL << 14;

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWriteTree =
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

std::uint64_t known(int abi) {
  std::uint64_t all = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | kWriteTree;
  if (abi >= 2) all |= kRefer;
  if (abi >= 3) all |= kTruncate;
  return all;
}

std::uint64_t wanted(const LandlockRule& rule, bool directory, int abi) {
  std::uint64_t access = directory ? kRead : kReadFile;
  if (rule.access == LandlockRule::Access::ReadWrite) {
    access |= LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
    if (directory) access |= kWriteTree | kRefer;
  }
  return access & known(abi);
}

Result<void> addRule(int ruleset, const LandlockRule& rule, int abi) {
  const UniqueFd fd(::open(rule.path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd.valid() && (errno == ENOENT || errno == ENOTDIR)) return {};
  if (!fd.valid()) return errnoError("landlock: " + rule.path);
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return errnoError("landlock: " + rule.path);
  landlock_path_beneath_attr attr{};
  attr.allowed_access = wanted(rule, S_ISDIR(st.st_mode), abi);
  attr.parent_fd = fd.get();
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) != 0) {
    return errnoError("landlock: rule for " + rule.path);
  }
  return {};
}

}  // namespace

int landlockAbi() {
  const auto abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

Result<UniqueFd> landlockRuleset(const std::vector<LandlockRule>& rules) {
  const int abi = landlockAbi();
  if (abi == 0) return Error{Errc::Unsupported, "this kernel has no Landlock (CONFIG_SECURITY_LANDLOCK, lsm=landlock)"};
  landlock_ruleset_attr attr{};
  attr.handled_access_fs = known(abi);
  // The first field alone: a larger struct of a newer header would be refused by an older kernel if it held anything.
  UniqueFd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attr, sizeof attr.handled_access_fs, 0)));
  if (!ruleset.valid()) return errnoError("landlock: ruleset");
  for (const auto& rule : rules) GODWIT_TRY(addRule(ruleset.get(), rule, abi));
  return ruleset;
}

bool enterLandlock(int ruleset) {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

Result<int> applyLandlock(const std::vector<LandlockRule>& rules) {
  GODWIT_ASSIGN(const UniqueFd ruleset, landlockRuleset(rules));
  if (!enterLandlock(ruleset.get())) return errnoError("landlock: restrict");
  return landlockAbi();
}

}  // namespace godwit
