#include "standalone/leftovers.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/log.h"
#include "base/pidfd.h"

namespace godwit::standalone {

namespace {

// The words of a command line, each ended by a NUL.
bool isOurs(const std::string& words, const std::vector<std::string>& dirs) {
  if (!words.starts_with(std::string_view("bwrap\0", 6))) return false;
  return std::any_of(dirs.begin(), dirs.end(), [&](const auto& dir) {
    const auto below = std::string(1, '\0') + dir + "/";
    return words.find(below) != std::string::npos;
  });
}

bool isOurs(const std::filesystem::path& process, const std::vector<std::string>& dirs) {
  struct stat st {};
  if (::stat(process.c_str(), &st) != 0 || st.st_uid != ::geteuid()) return false;
  const auto words = readFile(process / "cmdline");
  return words.ok() && isOurs(*words, dirs);
}

}  // namespace

void endLeftovers(const std::vector<std::string>& dirs) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    if (!isOurs(entry.path(), dirs)) continue;
    const UniqueFd process = openPidfd(pid);
    if (!process.valid() || !isOurs(entry.path(), dirs)) continue;  // its number may be somebody else's by now
    log::info("node", "ending process {}, which an earlier life left", pid);
    constexpr int kPatienceMs = 5'000;
    pollfd ended{process.get(), POLLIN, 0};
    if (signalPidfd(process.get(), SIGKILL)) ::poll(&ended, 1, kPatienceMs);
  }
}

}  // namespace godwit::standalone
