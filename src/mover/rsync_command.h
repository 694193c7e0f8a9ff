// The allow-list of what a peer may ask rsync to do here (contract section 4). What is not listed is refused, by name
// and reason.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"

namespace godwit::mover {

struct RsyncCommand {
  bool sender = false;               // the peer reads from us
  bool dryRun = false;               // nothing is written
  std::vector<std::string> options;  // checked, in the peer's order; starts with "--server"
  std::vector<std::string> paths;    // relative to the volume, confined by name: "." or "./a/b", trailing slash kept
  std::vector<std::string> optionPaths;  // the directories that options name, relative to the volume; also in `options`

  // Writes to the volume, so that its failure makes the replica incomplete.
  bool pushes() const { return !sender && !dryRun; }
};

// `words` as splitCommand gives them, words[0] == "rsync". `data` is the volume's absolute path, for options that must
// name an absolute directory. Invalid or Forbidden with what was refused and why.
Result<RsyncCommand> parseRsyncCommand(const std::vector<std::string>& words, const std::string& data);

}  // namespace godwit::mover
