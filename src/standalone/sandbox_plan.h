// How a container becomes a command line: bubblewrap's, or a plain process with paths of the host. Pure.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "base/landlock.h"
#include "standalone/runner.h"

namespace godwit::standalone {

struct HostLayout {  // what this machine offers
  std::string self;  // the godwit binary
  bool root = false;
  std::string nsswitch;                                    // a file to show as /etc/nsswitch.conf
  std::vector<std::pair<std::string, std::string>> links;  // top-level symlinks: {"/bin", "usr/bin"}
  std::vector<std::string> systemDirs;                     // shown read-only: /usr, /lib where it is a directory, ...
  std::vector<std::string> etc;                            // of /etc, shown read-only
};
HostLayout readHostLayout();

bool runsGodwit(const ContainerSpec& spec);  // and not a program of the host

// A container's mounts with every directory in memory given a place on the host.
struct PlacedMount {
  std::string source;  // empty: a fresh tmpfs
  std::string target;
  bool readOnly = false;
};

// bubblewrap's descriptors: it tells `kInfo` the first process's id; `kSupervisor` is a pidfd of itself, for
// contained.h.
enum BubblewrapFd { kInfo = 3, kSupervisor = 4 };
// argv after "bwrap". stateDir/termination-log and /progress must exist.
std::vector<std::string> bubblewrapArguments(const HostLayout& host, const ContainerSpec& spec,
                                             const std::vector<PlacedMount>& mounts);
// NAME=value: PATH, HOME, where the termination message and the progress go, then the container's own.
std::vector<std::string> sandboxEnvironment(const ContainerSpec& spec);

// Without namespaces: the container's paths are told as the host's (GODWIT_DATA, GODWIT_KEYS, GODWIT_TMP).
struct PlainPlan {
  std::vector<std::string> argv, env;
  std::vector<LandlockRule> rules;
  std::uint64_t capabilities = 0;  // as ProcessSpec has them
};
PlainPlan plainPlan(const HostLayout& host, const ContainerSpec& spec, const std::vector<PlacedMount>& mounts);

}  // namespace godwit::standalone
