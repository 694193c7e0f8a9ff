// Real programs on loopback ports: a Secret's keys, two volumes, movers and plain OpenSSH ends as child processes.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/mover_result.h"
#include "base/fd.h"
#include "base/process.h"

namespace godwit::mover {

using Arguments = std::vector<std::string>;

// Waits for `holds`, asked again with each change of the file, or of the directory's entries, at `path`; false after
// 30 s.
bool waitUntil(const std::string& path, const std::function<bool()>& holds);

// A child with its output in a file that can be waited on.
class Running {
 public:
  Running(Arguments argv, std::string log, std::vector<std::string> extraEnvironment = {});
  ~Running();  // SIGKILL to its group if it still runs
  Running(Running&&) = delete;

  // Waits until the log holds `text`; its first line that does, empty after 30 s.
  std::string line(const std::string& text);
  std::size_t count(const std::string& text) const;  // lines of the log with `text`
  int exitCode();                                    // waits; -1 after 4 minutes
  bool running();
  void signal(int number);
  std::string log() const;

 private:
  std::string log_;
  std::optional<Process> process_;
};

// Kills the ssh that holds the connection to `port`: the client of it, found by its configuration.
void killMasterOf(int port);

class MoverTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::string at(const std::string& name) const { return root_ + "/" + name; }
  std::string source() const { return source_.empty() ? at("src") : source_; }
  std::string replica() const { return replica_.empty() ? at("dst") : replica_; }
  void write(const std::string& path, const std::string& text) const;
  void writeAt(const std::string& path, const std::string& text, long nanoseconds) const;  // modified in a fixed second
  RunOutput run(Arguments argv, std::string_view input = {}) const;  // fails the test when it cannot start

  // Starts a destination on a port of the kernel's choice and fills in port_.
  std::unique_ptr<Running> destination(Arguments more = {});
  // A destination that knows nothing of Godwit: sshd with a forced command that serves rsync in the volume, and
  // `shutdown`.
  std::unique_ptr<Running> oldDestination();
  // The same with more cases of the shell's: "PATTERN) COMMANDS;;".
  std::unique_ptr<Running> oldDestination(const std::string& moreCases);
  std::unique_ptr<Running> startSource(Arguments more = {});
  int send(Arguments more = {});  // a source from start to end
  api::MoverResult sourceResult() const;
  api::MoverResult destinationResult() const;

  // What a VolSync source or a person uses: ssh options with our keys, a shared connection for `persist` seconds.
  Arguments sshOptions(int persist = 0) const;
  std::string rsyncShell(int persist = 0) const;
  RunOutput ssh(const std::string& command, int persist = 0) const;

  // Prints every difference between the volumes; empty when they are equal.
  std::string difference(const std::string& from, const std::string& to) const;

  std::string root_ = "/tmp/godwit-it-XXXXXX";
  std::string source_, replica_;  // volumes elsewhere
  Arguments as_;                  // before a destination's command line: who it is
  int port_ = 0;
};

}  // namespace godwit::mover
