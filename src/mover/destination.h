// `godwit mover destination`: receives into one volume until its source says that it is complete.
#pragma once
#include <string>

namespace godwit::mover {

struct DestinationOptions {
  std::string data = "/data";   // the volume, as findVolume takes it; environment GODWIT_DATA
  std::string keys = "/keys";   // directory with destination, source.pub
  std::string listen = "8022";  // [ADDR:]PORT; environment GODWIT_LISTEN; port 0: the kernel chooses, the log tells
  std::string user = "root";    // a login accepted beside root
  std::string path = "/";  // the directory inside the volume that the source sees as the whole of it; made if need be
  bool block = false;      // `data` may be a regular file, filled as a block device is
};

// Serves until an accepted `shutdown N` (returns N), SIGTERM or SIGINT (returns 128 + signal) or an error of its own
// (returns 1). A source that dies leaves it listening. Leaves the result in the termination message.
int runDestination(const DestinationOptions& options);

}  // namespace godwit::mover
