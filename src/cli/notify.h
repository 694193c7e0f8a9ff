// Tells systemd how we are (sd_notify's protocol; sd_notify(3)), without its library.
#pragma once
#include <string_view>

namespace godwit::cli {

// `state` as in "READY=1" or "STOPPING=1". Does nothing when not started by systemd (no NOTIFY_SOCKET).
void notifySystemd(std::string_view state);

}  // namespace godwit::cli
