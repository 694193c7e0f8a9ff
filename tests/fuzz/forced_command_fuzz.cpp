// The text a peer sends, as far as it gets without a process: taken apart, then held to the allow-list. Whatever is
// accepted must lie in the volume by name.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "mover/rsync_command.h"
#include "mover/unescape.h"

using namespace godwit::mover;

static bool leavesVolume(const std::string& path) {
  return path.empty() || path[0] != '.' || (path.size() > 1 && path[1] != '/') ||
         (path + "/").find("/../") != std::string::npos;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto words = splitCommand({reinterpret_cast<const char*>(bytes), size});
  if (!words.ok()) return 0;
  const auto command = parseRsyncCommand(*words, "/vol");
  if (!command.ok()) return 0;
  for (const auto& path : command->paths) {
    if (leavesVolume(path)) std::abort();
  }
  for (const auto& option : command->options) {
    if (option.empty() || option[0] != '-' || option.find("/../") != std::string::npos) std::abort();
  }
  return 0;
}
