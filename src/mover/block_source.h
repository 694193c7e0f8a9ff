// The source's part for a block volume: a whole copy, without the stretches that are zero.
#pragma once
#include "api/mover_result.h"
#include "mover/source.h"
#include "mover/ssh_link.h"

namespace godwit::mover {

// As runSource, for the block device at options.data. `code` gets the exit code that goes with an error.
Result<void> sendBlock(const SourceOptions& options, SshLink link, SignalWatch& signals, api::MoverResult& result,
                       int& code);

}  // namespace godwit::mover
