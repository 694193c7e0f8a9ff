// One authenticated connection, as its forced command sees it.
#pragma once
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/landlock.h"
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

// What a program does with the volume.
enum class VolumeUse { Read, WriteFiles, WriteDevice };

// Why a kernel with this ABI of Landlock (base/landlock.h) cannot confine such a program; nothing where it can.
std::optional<std::string> whyUnconfined(VolumeUse use, int abi);

// The program sees the volume and what it needs to run, nothing else: not even our keys. False where the kernel cannot,
// which the destination logs.
Result<bool> confineToVolume(const Session& session, VolumeUse use, int abi = landlockAbi());

}  // namespace godwit::mover
