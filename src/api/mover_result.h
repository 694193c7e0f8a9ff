// What a mover tells its operator: one JSON object of at most 3,500 bytes in the termination message (design rule 6).
#pragma once
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/json.h"

namespace godwit::api {

struct MoverResult {
  bool ok = false;
  std::string engine;           // "rsync", "godwit", "block"
  std::int64_t bytesSent = 0;   // over the wire, as the engine counts it
  std::int64_t bytesTotal = 0;  // of the volume's files
  std::int64_t files = 0;       // entries examined
  std::int64_t filesTransferred = 0;
  std::int64_t deletions = 0;
  std::int64_t vanished = 0;  // code 24 under Direct: counted, not fatal
  Duration duration{0};
  std::string digest;   // of what the engine verified, or empty
  std::string error;    // first error, empty when ok
  std::string warning;  // e.g. ownership not kept
};

inline constexpr std::size_t kMaxResultBytes = 3500;

// Always valid JSON within kMaxResultBytes: non-UTF-8 is escaped, long texts are shortened.
std::string encode(const MoverResult& result);
// From an untrusted termination message; Invalid when absent, broken or not ours.
Result<MoverResult> decodeMoverResult(std::string_view text);
// One line for people: "sent 1.2 MiB of 40 GiB in 3.1 s, 12 of 41,022 files, 3 deleted (rsync)", or, of who counted
// nothing, "the replica is complete (rsync)".
std::string summary(const MoverResult& result);

// The mover's environment and the files around it: what the planner writes and the mover reads.
namespace mover_env {
inline constexpr const char* kAddress = "DESTINATION_ADDRESS";
inline constexpr const char* kPort = "DESTINATION_PORT";
inline constexpr const char* kListen = "GODWIT_LISTEN";  // [ADDR:]PORT; set by a node that shares its network
inline constexpr const char* kProgress =
    "GODWIT_PROGRESS";  // path of a file that gets the live progress, one JSON line, replaced in place
inline constexpr const char* kTerminationLog = "GODWIT_TERMINATION_LOG";  // default /dev/termination-log
}  // namespace mover_env

}  // namespace godwit::api
