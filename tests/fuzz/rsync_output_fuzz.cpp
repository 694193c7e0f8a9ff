// What the other end's rsync and ssh make ours print.
#include "mover/rsync_output.h"

#include "api/mover_result.h"
#include "fuzz/fuzz.h"
#include "mover/ssh_link.h"

using namespace godwit;
using namespace godwit::mover;

GODWIT_FUZZ_TARGET(rsyncOutput, "  1234567  45%   12.34MB/s    1:02:03  (xfr#7, ir-chk=1000/3000)",
                   "1 1% 99999999999999999999.9GB/s 9223372036854775807:00:00", "Number of files: 1,072 (reg: 52)",
                   "Total bytes sent: 406844", "rsync: write failed on \"/data/x\": No space left on device (28)",
                   "file has vanished: \"/data/x\"", "Host key verification failed.\r\n", "a\r\nb\n\n") {
  const auto progress = parseProgress(input);
  fuzz::require(!progress || (progress->etaSeconds >= 0 && progress->rate >= 0), "progress runs backwards");
  api::MoverResult result;
  takeStatistic(input, result);
  fuzz::require(result.files >= 0 && result.bytesSent >= 0 && result.deletions >= 0, "a negative count");
  ErrorDigest digest;
  digest.take(input);
  fuzz::require(!diagnoseSsh(input, "host").message.empty(), "a failure without a message");
  fuzz::require(lastLine(input).find('\n') == std::string::npos, "a line of more than one line");
}
