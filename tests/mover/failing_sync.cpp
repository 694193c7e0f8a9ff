// Preloaded into a destination: the first syncfs fails as it does when the kernel could not write a page, and as then
// the next one succeeds.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

extern "C" int syncfs(int descriptor) noexcept {
  static bool failed = false;
  if (failed) return static_cast<int>(::syscall(SYS_syncfs, descriptor));
  failed = true;
  errno = EIO;
  return -1;
}
