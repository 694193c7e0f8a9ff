// The result a mover leaves behind (design rule 6), and the progress it shows meanwhile.
#pragma once
#include <string>
#include <string_view>

#include "api/mover_result.h"

namespace godwit::mover {

// Logs `story` (or the error) and writes the termination message: to GODWIT_TERMINATION_LOG, else to
// /dev/termination-log where a kubelet has put one. A message that cannot be written is logged; the exit code still
// tells.
void report(const api::MoverResult& result, std::string_view story);

// Replaces the file named by GODWIT_PROGRESS with one line of JSON; nothing when it is unset.
void publishProgress(const Json& progress);

}  // namespace godwit::mover
