#include "mover/peer.h"

#include <fmt/core.h>

#include "base/json.h"
#include "base/log.h"
#include "mover/child.h"
#include "mover/forced_command.h"

namespace godwit::mover {

namespace {

std::uint64_t count(const Json& json, const char* key) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number(0, json, key)));
}

bool unlessFalse(const Json& json, const char* key) {  // an older end does not say
  const auto* value = find(json, key);
  return !value || !value->is_boolean() || value->get<bool>();
}

// An exit status of ours can get lost behind the line that says the same.
bool accepted(const RunOutput& answer) {
  return answer.status.success() || (answer.out + "\n").starts_with(std::string(kAccepted) + "\n");
}

bool lost(const RunOutput& answer) {
  return answer.status.code == kSshFailed && !accepted(answer);
}

// VolSync's mover ends its sshd as soon as it is told to: one that is gone by then has accepted, as a rule.
Result<std::optional<std::string>> endForeign(SshLink& link, SignalWatch& signals, RunOutput& answer) {
  const auto back = link.connect(signals, std::chrono::seconds(5));
  if (back.is(Errc::Unavailable))
    return std::optional<std::string>("the connection broke while the destination was told to end; it has ended");
  GODWIT_TRY(back);
  GODWIT_ASSIGN(answer, link.ask({"shutdown", "0"}, signals));
  return std::optional<std::string>();
}

}  // namespace

std::string reason(const RunOutput& answer) {
  const auto line = lastLine(answer.err);
  return line.rfind(kRefused, 0) == 0 ? line.substr(kRefused.size()) : line;
}

Result<Remote> askRemote(SshLink& link, const std::string& path, SignalWatch& signals) {
  GODWIT_ASSIGN(const auto answer, link.ask({"godwit-info", path}, signals));
  if (answer.status.code == kSshFailed) return Error{Errc::Unavailable, "the connection broke: " + reason(answer)};
  const auto json = parseJson(answer.out);
  Remote remote;
  remote.godwit = answer.status.success() && json.ok() && !text(*json, "godwit").empty();
  if (!remote.godwit) {
    // Our own end refuses a bad path here; any other end does not know the command.
    if (lastLine(answer.err).rfind(kRefused, 0) == 0)
      return Error{Errc::Forbidden, "the destination refuses the path: " + reason(answer)};
    return remote;
  }
  remote.entries = static_cast<std::size_t>(count(*json, "entries"));
  remote.free = count(*json, "free");
  remote.root = truth(*json, "root");
  remote.acls = unlessFalse(*json, "acls");
  remote.ownsPath = unlessFalse(*json, "ownsPath");
  if (find(*json, "block")) remote.block = count(*json, "block");
  return remote;
}

Result<bool> tryAgain(TransferRetry& retry, SshLink& link, SignalWatch& signals, const std::string& why, int& code) {
  const auto delay = retry.next();
  if (!delay) return false;
  log::warn("mover", "{}; attempt {} of {} in {} s", why, retry.attempt(), TransferRetry::kAttempts,
            std::chrono::duration_cast<std::chrono::seconds>(*delay).count());
  GODWIT_TRY(pauseFor(*delay, signals));
  code = kSshFailed;
  GODWIT_TRY(link.connect(signals));
  return true;
}

Result<std::optional<std::string>> endRemote(SshLink& link, const Remote& remote, SignalWatch& signals,
                                             const std::function<Result<void>()>& sendAgain) {
  GODWIT_ASSIGN(auto answer, link.ask({"shutdown", "0"}, signals));
  if (lost(answer) && !remote.godwit) {
    GODWIT_ASSIGN(auto warning, endForeign(link, signals, answer));
    if (warning) return warning;
  } else if (lost(answer)) {
    log::warn("mover", "the connection broke before the destination accepted; sending again");
    GODWIT_TRY(link.connect(signals));
    GODWIT_TRY(sendAgain());
    GODWIT_ASSIGN(answer, link.ask({"shutdown", "0"}, signals));
  }
  if (accepted(answer)) return std::optional<std::string>();
  if (lost(answer))
    return Error{Errc::Unavailable,
                 "the connection broke before the destination accepted: whether the replica is "
                 "complete there is not known"};
  return Error{Errc::Io, fmt::format("the transfer is complete, but the destination refuses to end (code {}): {}",
                                     answer.status.code, reason(answer))};
}

}  // namespace godwit::mover
