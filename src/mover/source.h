// `godwit mover source`: sends one volume to a destination and tells it when the replica is complete.
#pragma once
#include <string>

namespace godwit::mover {

struct SourceOptions {
  std::string data = "/data";  // the volume, as findVolume takes it; environment GODWIT_DATA
  std::string keys = "/keys";  // directory with source, destination.pub
  std::string address;         // environment DESTINATION_ADDRESS
  int port = 22;               // environment DESTINATION_PORT
  std::string user = "root";
  std::string path = "/";   // inside the destination's volume
  bool direct = false;      // the volume is in use: files that vanish during the transfer are counted, not fatal
  bool allowEmpty = false;  // an empty volume may erase a replica that is not
  bool block = false;       // `data` may be a regular file, sent as a block device is
  std::string progress;     // file for the live progress; environment GODWIT_PROGRESS
};

// Returns 0 when the replica is complete and the destination has accepted `shutdown 0`; else rsync's code, 255 where
// ssh failed, kSafetyHalt when the empty volume was held back, 128 + signal when told to end, 1 for the rest. Leaves
// the result in the termination message.
int runSource(const SourceOptions& options);

inline constexpr int kSafetyHalt = 3;

}  // namespace godwit::mover
