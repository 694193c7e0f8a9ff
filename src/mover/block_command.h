// What a peer can ask of a destination whose volume is a block device.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "mover/session.h"

namespace godwit::mover {

// godwit-info, godwit-block SIZE (the stream of block_format.h on stdin) and godwit-block-zero SIZE (does that much of
// the device read as zeroes: {"zero": BOOL}). Everything that needs a file system is refused with the reason. The exit
// code, or why it was refused.
Result<int> runBlockCommand(const Session& session, const std::vector<std::string>& words);

// Why a destination that holds a file system refuses a command for block devices; nothing for other commands.
std::optional<Error> refuseForFileSystem(const std::string& command);

}  // namespace godwit::mover
