// The source's one connection: an ssh master that rsync and the commands after it share.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/process.h"
#include "mover/account_view.h"
#include "mover/child.h"
#include "mover/retry.h"
#include "mover/signals.h"
#include "mover/source.h"
#include "mover/temp_dir.h"

namespace godwit::mover {

// The line of a log that says most: the last that is not empty.
std::string lastLine(std::string_view log);

// Why ssh failed before anything could be asked of the other end. Retryable (Unavailable) unless waiting cannot help:
// then Forbidden (wrong host key, refused key) or Invalid (a key or a setting ssh cannot use). `log` is ssh's; `where`
// names the other end.
Error diagnoseSsh(std::string_view log, const std::string& where);

class SshLink {
 public:
  // Validates address, port and user, writes normalised keys, known_hosts and configuration into `dir`.
  static Result<SshLink> setUp(const TempDir& dir, const SourceOptions& options);

  // Connects if no connection stands, with the policy of ConnectRetry.
  Result<void> connect(SignalWatch& signals, Duration window = std::chrono::seconds(62));
  // Runs a command at the other end, each word escaped, with what `feed` gives on its standard input.
  Result<RunOutput> ask(const std::vector<std::string>& words, SignalWatch& signals, Feed feed = {});
  void disconnect();

  std::string rsyncShell() const { return "ssh -F " + configuration_; }  // for rsync -e
  static const char* host() { return "godwit-destination"; }
  const std::string& where() const { return where_; }                           // for people: "root@host port 22"
  const std::vector<std::string>& environment() const { return environment_; }  // for ssh and rsync

 private:
  Result<ExitStatus> control(const char* verb);
  Result<void> connectOnce(SignalWatch& signals);

  std::string configuration_, log_, socket_, where_;
  std::vector<std::string> environment_;
  bool connectedBefore_ = false;
};

// A word as splitCommand takes it apart again.
std::string escapeWord(std::string_view word);

}  // namespace godwit::mover
