// What a source asks of the other end besides the data, whatever kind of volume it sends.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "mover/retry.h"
#include "mover/ssh_link.h"

namespace godwit::mover {

constexpr int kSshFailed = 255;  // ssh's exit code when the connection broke

// What the other end told about itself.
struct Remote {
  bool godwit = false;  // else VolSync's mover or a person's sshd
  bool root = true;
  bool acls = true;
  bool ownsPath = true;  // the attributes of the transfer's top directory are its to set
  std::size_t entries = 0;
  std::uint64_t free = 0;
  std::optional<std::uint64_t> block;  // its volume is a block device of so many bytes
};

// A Godwit end answers; VolSync's and others refuse the command, which is an answer too. `path` as confineName gives
// it.
Result<Remote> askRemote(SshLink& link, const std::string& path, SignalWatch& signals);

// Why the other end refused, without what both ends put around it.
std::string reason(const RunOutput& answer);

// Waits as the policy says and connects again; false when no attempt is left. `why` is what the last one ended with.
// `code` becomes the exit code that goes with a failure to connect.
Result<bool> tryAgain(TransferRetry& retry, SshLink& link, SignalWatch& signals, const std::string& why, int& code);

// `shutdown 0`. When the answer got lost, a Godwit end is asked again once `sendAgain` has sent everything again: who
// answers then may have been started anew. Another end is given the benefit of the doubt, with a warning.
Result<std::optional<std::string>> endRemote(SshLink& link, const Remote& remote, SignalWatch& signals,
                                             const std::function<Result<void>()>& sendAgain);

}  // namespace godwit::mover
