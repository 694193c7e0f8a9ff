// The allow-list of what a peer may ask rsync to do here (contract section 4). What is not listed is refused, by name
// and reason.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace godwit::mover {

// Both ends compare modification times to the nanosecond: by whole seconds, as rsync does unless told, a file that was
// written twice within one second to the same size would keep its first content at the replica. A server that gets
// another window from its client obeys the client.
inline constexpr std::string_view kCompareNanoseconds = "--modify-window=-1";

struct RsyncCommand {
  bool sender = false;               // the peer reads from us
  bool dryRun = false;               // nothing is written
  bool namesFollow = false;          // the peer names what it reads later, where nobody can check it
  std::string spares;                // an option that leaves files alone whatever their time, if there is one
  std::vector<std::string> options;  // checked, in the peer's order; starts with "--server"
  std::vector<std::string> paths;    // relative to the volume, confined by name: "." or "./a/b", trailing slash kept
  std::vector<std::string> optionPaths;  // where the directories that options name can be, relative to the volume

  // Writes to the volume, so that its failure makes the replica incomplete.
  bool pushes() const { return !sender && !dryRun; }
};

// `words` as splitCommand gives them, words[0] == "rsync". `data` is the volume's absolute path, for options that must
// name an absolute directory. Invalid or Forbidden with what was refused and why.
Result<RsyncCommand> parseRsyncCommand(const std::vector<std::string>& words, const std::string& data);

}  // namespace godwit::mover
