// Child processes: started without a shell, ended by pid, waited for by event.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace godwit {

struct ProcessSpec {
  struct FdMap {
    int child;   // number in the child
    int parent;  // our descriptor, duplicated to it
  };
  std::vector<std::string> argv;                // argv[0] is looked up in PATH
  std::optional<std::vector<std::string>> env;  // "NAME=value"; nullopt inherits ours
  std::string cwd;                              // empty: ours
  std::vector<FdMap> fds;                       // 0, 1, 2 not named here are ours; all others are closed
  bool newSession = true;                       // own session and process group, so that killGroup reaches its children
  int landlock = -1;                            // a ruleset of base/landlock.h to enter before exec; -1: none
  std::optional<std::uint64_t> capabilities;    // 1 << CAP_x of those a root child keeps at most; nullopt: all
  std::vector<int> blocked;                     // signals that wait until the program unblocks or reads them
  bool dieWithParent = false;                   // SIGKILL when the thread that started it ends (PR_SET_PDEATHSIG)
  int ownPidfd = -1;                            // number in the child of a pidfd of itself, for its children; -1: none
};

struct ExitStatus {
  int code = 0;    // exit code, or 128 + signal
  int signal = 0;  // the signal that ended it, else 0
  bool success() const { return code == 0; }
};

class Process {
 public:
  // Fails (with the child's errno) also when exec fails: a Process that exists runs the program asked for.
  static Result<Process> spawn(const ProcessSpec& spec);

  Process(Process&&) noexcept = default;
  Process& operator=(Process&&) noexcept = default;
  ~Process() = default;  // neither kills nor waits: the owner says which

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }  // becomes readable when the process has ended

  // Waits until it ends or `timeout` passes (nullopt then). Negative timeout: for ever. The status is kept.
  Result<std::optional<ExitStatus>> wait(Duration timeout);
  Result<void> kill(int signal) const;       // NotFound when it has ended
  Result<void> killGroup(int signal) const;  // its whole process group; needs newSession

 private:
  Process(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  pid_t pid_;
  UniqueFd pidfd_;
  std::optional<ExitStatus> status_;
};

struct RunOutput {
  ExitStatus status;
  std::string out, err;  // each at most 1 MiB; the rest is read and dropped
};

// Runs to the end with `input` on stdin. Timeout: kills the group, Errc::Timeout.
Result<RunOutput> runProcess(ProcessSpec spec, std::string_view input = {},
                             Duration timeout = std::chrono::seconds(60));

}  // namespace godwit
