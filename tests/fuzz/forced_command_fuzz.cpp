// The text a peer sends, as far as it gets without a process: taken apart, then held to the allow-list. Whatever is
// accepted must lie in the volume by name.
#include "fuzz/fuzz.h"
#include "mover/rsync_command.h"
#include "mover/ssh_link.h"
#include "mover/unescape.h"

using namespace godwit;
using namespace godwit::mover;

static bool leavesVolume(const std::string& path) {
  return path.empty() || path[0] != '.' || (path.size() > 1 && path[1] != '/') ||
         (path + "/").find("/../") != std::string::npos;
}

GODWIT_FUZZ_TARGET(forcedCommand, "rsync --server -vlHogDtpAXrSxze.iLsfxCIvu --delete --log-format=%i . .",
                   "rsync --server --sender -logDtpre.iLsfxCIvu --files-from=- --from0 . a /b/c/",
                   R"(rsync --server -lHogDtpAXrxSe.iLsfxCIvu --delete -@-1 --temp-dir /t\ mp . 'a b'/"c$")",
                   "rsync --server -R --no-implied-dirs --backup-dir=../x . --daemon", "shutdown 255",
                   "rsync --server --sender -rR . a/./b /c/./d/./ e/.", "rsync --server -logDtpRe --sender . .",
                   R"(godwit-info ./two\ words/)") {
  const auto words = splitCommand(input);
  if (!words) return;
  std::string line;
  for (const auto& word : *words) line += escapeWord(word) + " ";
  const auto again = splitCommand(line);
  fuzz::require(line.size() > kMaxCommandBytes || (again.ok() && *again == *words), "escapeWord loses a word");
  const auto command = parseRsyncCommand(*words, "/vol");
  if (!command) return;
  for (const auto& path : command->paths) fuzz::require(!leavesVolume(path), "a path leaves the volume");
  for (const auto& path : command->optionPaths) fuzz::require(!leavesVolume(path), "an option leaves the volume");
  for (const auto& option : command->options) {
    fuzz::require(!option.empty() && option[0] == '-', "a word that is no option");
    fuzz::require(option[1] == '-' || option.find('e') != option.size() - 1,
                  "an option that would swallow the next word");
    fuzz::require((option + "/").find("/../") == std::string::npos, "an option leaves the volume");
  }
}
