#include "api/mover_result.h"
#include "fuzz/fuzz.h"

using namespace godwit;

GODWIT_FUZZ_TARGET(
    moverResult, R"({"godwit":1,"ok":true,"engine":"rsync","bytesSent":12,"files":3,"durationNs":3100000000})",
    R"({"godwit":1,"ok":false,"error":"disk full: \u00e9 \"x\"","warning":"w","digest":"d","vanished":2})") {
  api::MoverResult hostile;
  hostile.error = hostile.warning = input;
  for (const auto& result : {api::decodeMoverResult(input), api::decodeMoverResult(api::encode(hostile))}) {
    if (!result) continue;
    const auto encoded = api::encode(*result);
    fuzz::require(encoded.size() <= api::kMaxResultBytes, "larger than a termination message");
    const auto again = api::decodeMoverResult(encoded);
    fuzz::require(again.ok() && again->files == result->files && again->ok == result->ok, "encode loses the result");
    fuzz::require(api::summary(*result).find('\n') == std::string::npos, "a summary of more than one line");
  }
  fuzz::require(api::decodeMoverResult(api::encode(hostile)).ok(), "encode writes what decode refuses");
}
