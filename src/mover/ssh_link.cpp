#include "mover/ssh_link.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/log.h"
#include "mover/address.h"
#include "mover/child.h"
#include "mover/keys.h"
#include "mover/sshd.h"

namespace godwit::mover {

namespace {

// Our own alias instead of the host's name pins the key whatever the port, and saves IPv6 addresses their brackets.
Result<std::string> configuration(const TempDir& dir, const SourceOptions& options, std::string host) {
  for (std::size_t at = 0; (at = host.find('%', at)) != std::string::npos; at += 2) host.replace(at, 1, "%%");
  auto out = fmt::format("Host {}\nHostName {}\nPort {}\nUser {}\n", SshLink::host(), host, options.port, options.user);
  out += fmt::format("IdentityFile {}\nUserKnownHostsFile {}\nControlPath {}\n", dir.file("identity"),
                     dir.file("known_hosts"), dir.file("mux"));
  out += fmt::format("HostKeyAlias {}\n", SshLink::host());
  out +=
      "GlobalKnownHostsFile none\nStrictHostKeyChecking yes\nCheckHostIP no\nUpdateHostKeys no\nIdentitiesOnly yes\n"
      "IdentityAgent none\nPreferredAuthentications publickey\nBatchMode yes\nForwardAgent no\nClearAllForwardings "
      "yes\n"
      "PermitLocalCommand no\nConnectTimeout 30\nConnectionAttempts 1\nServerAliveInterval 30\nServerAliveCountMax 4\n"
      "TCPKeepAlive no\nEscapeChar none\nRequestTTY no\n"
      // A master that outlives us by a crash ends by itself.
      "ControlMaster no\nControlPersist 60\nLogLevel INFO\n";
  return out;
}

std::vector<std::string> childEnvironment(const AccountView& view) {
  std::vector<std::string> out = view.environment;
  out.push_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  out.push_back("LC_ALL=C");
  out.push_back("HOME=/nonexistent");
  return out;
}

bool has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

}  // namespace

std::string lastLine(std::string_view log) {
  while (!log.empty() && (log.back() == '\n' || log.back() == '\r')) log.remove_suffix(1);
  const auto at = log.rfind('\n');
  return std::string(at == std::string_view::npos ? log : log.substr(at + 1));
}

Error diagnoseSsh(std::string_view log, const std::string& where) {
  if (has(log, "Host key verification failed") || has(log, "HOST IDENTIFICATION HAS CHANGED") ||
      has(log, "host key is known for")) {
    return {Errc::Forbidden,
            fmt::format("{} shows another host key than the Secret's destination.pub: somebody else answers there, or "
                        "the Secret is not the one that destination published",
                        where)};
  }
  if (has(log, "invalid format") || has(log, "error in libcrypto") || has(log, "incorrect passphrase")) {
    return {Errc::Invalid, "the Secret's field source is not a private key that ssh can use without a passphrase"};
  }
  if (has(log, "Permission denied") || has(log, "Too many authentication failures")) {
    return {Errc::Forbidden,
            fmt::format("{} refuses the key: its Secret holds another source.pub, or sshUser is not its login", where)};
  }
  if (has(log, "Bad configuration option") || has(log, "no matching host key type") ||
      has(log, "Unable to negotiate")) {
    return {Errc::Invalid, fmt::format("{}: {}", where, lastLine(log))};
  }
  return {Errc::Unavailable, fmt::format("{} cannot be reached: {}", where, lastLine(log))};
}

std::string escapeWord(std::string_view word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=+@%";
  if (word.empty()) return "''";
  std::string out;
  for (const char c : word) {
    const bool plain = kPlain.find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80;
    if (!plain) out += '\\';
    out += c;
  }
  return out;
}

Result<SshLink> SshLink::setUp(const TempDir& dir, const SourceOptions& options) {
  if (options.address.empty()) {
    return Error{Errc::Invalid,
                 "no address: give --address, or DESTINATION_ADDRESS (spec.rsync.address of the source)"};
  }
  if (options.port < 1 || options.port > 65535)
    return Error{Errc::Invalid, fmt::format("--port {}: 1 to 65535", options.port)};
  GODWIT_ASSIGN(const auto host, parseHost(options.address));
  GODWIT_TRY(checkUser(options.user));
  GODWIT_ASSIGN(const auto keyText, readKeyField(options.keys, "source"));
  GODWIT_ASSIGN(const auto key, privateKey(keyText, "source"));
  GODWIT_ASSIGN(const auto hostKeyText, readKeyField(options.keys, "destination.pub"));
  GODWIT_ASSIGN(const auto hostKey, publicKey(hostKeyText, "destination.pub"));
  GODWIT_ASSIGN(const auto self, ownBinary());
  GODWIT_ASSIGN(const auto view, makeAccountView(options.user, self, dir.path()));
  SshLink link;
  link.environment_ = childEnvironment(view);
  link.configuration_ = dir.file("ssh_config");
  link.log_ = dir.file("ssh.log");
  link.socket_ = dir.file("mux");
  link.where_ = fmt::format("{}@{} port {}", options.user, host, options.port);
  GODWIT_ASSIGN(const auto text, configuration(dir, options, host));
  GODWIT_TRY(writePrivate(dir.file("identity"), key));
  GODWIT_TRY(writePrivate(dir.file("known_hosts"), fmt::format("{} {}", SshLink::host(), hostKey)));
  GODWIT_TRY(writePrivate(link.configuration_, text));
  return link;
}

Result<ExitStatus> SshLink::control(const char* verb) {
  ProcessSpec spec{.argv = {"ssh", "-F", configuration_, "-O", verb, host()}, .env = environment_};
  GODWIT_ASSIGN(const auto output, runProcess(spec, {}, std::chrono::seconds(10)));
  return output.status;
}

// ssh goes to the background by itself once it is authenticated: its exit is the event, its log tells why it failed.
Result<void> SshLink::connectOnce(SignalWatch& signals) {
  ::unlink(log_.c_str());
  ::unlink(socket_.c_str());  // of a master that was killed: ssh would rather not share than take its place
  ProcessSpec spec{.argv = {"ssh", "-F", configuration_, "-E", log_, "-M", "-f", "-N", host()}, .env = environment_};
  GODWIT_ASSIGN(const auto status, runChild(spec, signals, {}, {}));
  if (status.success()) return {};
  const auto log = readFile(log_, 1 << 20);
  return diagnoseSsh(log.ok() ? *log : std::string(), where_);
}

Result<void> SshLink::connect(SignalWatch& signals, Duration window) {
  if (connectedBefore_) {
    const auto standing = control("check");
    if (standing.ok() && standing->success()) return {};
  }
  const SystemClock clock;
  const ConnectRetry retry(clock.monotonic(), window);
  for (bool first = true;; first = false) {
    auto connected = connectOnce(signals);
    connectedBefore_ |= connected.ok();
    if (connected.ok() || !connected.is(Errc::Unavailable)) return connected;
    const auto delay = retry.next(clock.monotonic());
    if (!delay) return connected;
    if (first) log::warn("mover", "{}; trying again", connected.error().message);
    GODWIT_TRY(pauseFor(*delay, signals));
  }
}

Result<RunOutput> SshLink::ask(const std::vector<std::string>& words, SignalWatch& signals, Feed feed) {
  std::string command;
  for (const auto& word : words) command += (command.empty() ? "" : " ") + escapeWord(word);
  RunOutput output;
  constexpr std::size_t kMaxAnswer = 64 << 10;
  const auto into = [](std::string& text) {
    return [&text](std::string_view line) {
      if (text.size() < kMaxAnswer) (text += line) += '\n';
    };
  };
  ProcessSpec spec{.argv = {"ssh", "-F", configuration_, host(), command}, .env = environment_};
  GODWIT_ASSIGN(output.status, runChild(spec, signals, into(output.out), into(output.err), std::move(feed)));
  return output;
}

void SshLink::disconnect() {
  (void)control("exit").ok();
}

}  // namespace godwit::mover
