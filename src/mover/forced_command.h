// What sshd runs for an authenticated peer in place of a shell: `godwit -c COMMAND` (contract section 4).
#pragma once
#include <string_view>

namespace godwit::mover {

// Runs the one command the peer asked for: SSH_ORIGINAL_COMMAND where sshd set it (it does for every forced command),
// else `command`. Knows rsync --server, shutdown N, godwit-info [PATH] and godwit-prepare PATH, for a block device what
// block_command.h lists; anything else is refused on stderr and in the destination's log. Returns the exit code: the
// program's own, 1 for a refusal, 126 outside of a destination's session.
int runForcedCommand(std::string_view command);

// The arguments of our binary in authorized_keys; their text is for logins whose shell is not ours.
inline constexpr std::string_view kForcedCommand = " -c login";
// How a refusal begins on the peer's stderr; the reason follows.
inline constexpr std::string_view kRefused = "godwit refused: ";

// The line on the peer's stdout once a shutdown is accepted: an exit status can get lost behind it.
inline constexpr std::string_view kAccepted = "accepted";

// The session's environment variables, set by the destination through sshd.
inline constexpr const char* kSessionDirectory = "GODWIT_SESSION";  // the destination's private directory
inline constexpr const char* kSessionId = "GODWIT_SESSION_ID";      // which connection this is
inline constexpr const char* kSessionData = "data";                 // file in it that holds the volume's path
inline constexpr const char* kSessionSocket = "control";            // the socket of control.h

}  // namespace godwit::mover
