// One authenticated connection, as its forced command sees it.
#pragma once
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace godwit::mover {

struct Session {
  std::string directory;  // the destination's private one
  std::string id;
  std::string data;    // the volume
  bool block = false;  // the volume is a block device
  UniqueFd control;
};

// From the environment that the destination set through sshd; Unsupported outside of a session.
Result<Session> openSession();

// The program sees the volume and what it needs to run, nothing else: not even our keys. False where the kernel cannot,
// which the destination logs.
Result<bool> confineToVolume(const Session& session, bool readOnly);

}  // namespace godwit::mover
