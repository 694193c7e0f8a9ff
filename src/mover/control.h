// How a forced command, started by sshd, talks with the listener that started the sshd: a unix socket in the private
// directory, whole messages, both sides the same user. The words:
//   login SESSION                                     first: this connection's peer holds the key
//   begin push|read        -> "ok" or "no REASON"     before rsync starts; the connection stays open while it runs.
//                             "ok anew": nothing that is there already may be taken for written
//   end CODE                                          rsync's exit code; a connection that closes without it was cut
//   shutdown CODE SESSION  -> "ok" or "no REASON"     may take as long as a running transfer; closing it is the
//                                                     hand-over
//   refused TEXT, note TEXT                           for the listener's log
#pragma once
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace godwit::mover {

inline constexpr std::string_view kAnew = "anew";
inline constexpr std::size_t kMaxControlMessage = 4096;

// A listening socket at `path`, mode 0600.
Result<UniqueFd> listenControl(const std::string& path);

// Accepts one connection; Forbidden when the other side is not our own user.
Result<UniqueFd> acceptControl(int listener);

// Ends the process at the other side of an open connection that did not end when asked to.
void killPeer(int fd);

Result<UniqueFd> connectControl(const std::string& path);

// One message. send shortens what is too long; receive gives "" when the other side has closed.
Result<void> sendMessage(int fd, std::string_view message);
Result<std::string> receiveMessage(int fd);

// Sends and waits for the answer: what follows the "ok". A "no REASON" becomes Errc::Conflict with the reason.
Result<std::string> askControl(int fd, const std::string& message);

}  // namespace godwit::mover
