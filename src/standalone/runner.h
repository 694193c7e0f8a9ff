// What the node runs a pod's container with: a sandboxed process in production, a scripted mover in the simulation.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/process.h"
#include "base/result.h"

namespace godwit::standalone {

struct MountedFile {
  std::string name, content;
  unsigned mode = 0644;
};

struct Mount {
  std::string source;  // on the host; empty: a directory in memory that holds `files`
  std::string target;  // in the container
  bool readOnly = false;
  std::vector<MountedFile> files;  // of a Secret or ConfigMap: never on a disk
};

struct ContainerSpec {
  std::string pod;                   // "namespace/name/uid", for logs and state directories
  std::vector<std::string> command;  // command + args
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<Mount> mounts;
  int listenPort = 0;    // the port it will listen on, 0: none; below 1024 it needs leave to
  std::string stateDir;  // stdout+stderr -> stateDir/log, termination message -> stateDir/termination-log
};

class RunningContainer {
 public:
  virtual ~RunningContainer() = default;
  virtual std::optional<ExitStatus> poll() = 0;  // ended?
  virtual void signal(int number) = 0;           // to the container's first process
  virtual void kill() = 0;                       // everything in it, at once
  virtual int eventFd() const = 0;               // readable when it has ended; -1 in the simulation
};

class Runner {
 public:
  virtual ~Runner() = default;
  virtual Result<std::unique_ptr<RunningContainer>> start(const ContainerSpec& spec) = 0;
  // At the end of a container and for what an earlier life of the node left: the log stays until forget().
  virtual std::string terminationMessage(const std::string& stateDir) = 0;  // at most 4096 bytes
  virtual void forget(const std::string& stateDir) = 0;                     // removes the state directory
};

}  // namespace godwit::standalone
