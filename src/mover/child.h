// Children of the source: their output line by line as it comes, and an end at once when we are told to end.
#pragma once
#include <functional>
#include <optional>
#include <string_view>

#include "base/process.h"
#include "mover/signals.h"

namespace godwit::mover {

using LineSink = std::function<void(std::string_view line)>;

// Cuts a stream into lines at \n and \r (rsync redraws its progress with the latter); a line is at most 4 KiB, the rest
// of a longer one is dropped.
class LineCutter {
 public:
  explicit LineCutter(LineSink sink) : sink_(std::move(sink)) {}
  void feed(std::string_view bytes);
  void finish();  // what came without a line's end

 private:
  LineSink sink_;
  std::string line_;
};

// What a child gets on its standard input: the next bytes, which stay until the next call, empty when there are none
// yet, nullopt at the end.
using Feed = std::function<Result<std::optional<std::string_view>>()>;

// Runs to the end; without a feed the standard input is empty. A child that closes it early is not an error here: its
// exit code tells. Cancelled when `signals` has one, the feed's error when that has one: the child's group gets
// SIGTERM, after 5 s SIGKILL.
Result<ExitStatus> runChild(ProcessSpec spec, SignalWatch& signals, const LineSink& out, const LineSink& err,
                            Feed feed = {});

// Waits; Cancelled when told to end meanwhile.
Result<void> pauseFor(Duration duration, SignalWatch& signals);

}  // namespace godwit::mover
