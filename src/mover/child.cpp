#include "mover/child.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/core.h>

namespace godwit::mover {

namespace {

constexpr std::size_t kMaxLine = 4096;

Error cancelled(int signal) {
  return {Errc::Cancelled, fmt::format("ended by signal {}", signal)};
}

// Reads what is there; closes and forgets the descriptor at its end.
void drain(UniqueFd& fd, LineCutter& lines) {
  char buffer[16 << 10];
  const auto n = ::read(fd.get(), buffer, sizeof buffer);
  if (n > 0) return lines.feed({buffer, static_cast<std::size_t>(n)});
  if (n < 0 && errno == EINTR) return;
  lines.finish();
  fd.reset();
}

void endGroup(Process& child) {
  (void)child.killGroup(SIGTERM).ok();
  const auto ended = child.wait(std::chrono::seconds(5));
  if (ended.ok() && *ended) return;
  (void)child.killGroup(SIGKILL).ok();
  (void)child.wait(Duration(-1)).ok();
}

}  // namespace

void LineCutter::feed(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n' || c == '\r')
      finish();
    else if (line_.size() < kMaxLine)
      line_ += c;
  }
}

void LineCutter::finish() {
  if (!line_.empty() && sink_) sink_(line_);
  line_.clear();
}

Result<ExitStatus> runChild(ProcessSpec spec, SignalWatch& signals, const LineSink& out, const LineSink& err) {
  GODWIT_ASSIGN(auto outPipe, makePipe());
  GODWIT_ASSIGN(auto errPipe, makePipe());
  GODWIT_ASSIGN(auto nothing, makePipe());  // an empty stdin: none of these programs may ask anybody anything
  spec.fds = {{0, nothing.read.get()}, {1, outPipe.write.get()}, {2, errPipe.write.get()}};
  spec.newSession = true;
  spec.dieWithParent = true;
  GODWIT_ASSIGN(auto child, Process::spawn(spec));
  nothing.write.reset();
  outPipe.write.reset();
  errPipe.write.reset();
  LineCutter outLines(out), errLines(err);
  while (outPipe.read.valid() || errPipe.read.valid()) {
    pollfd fds[3] = {{signals.fd(), POLLIN, 0}, {outPipe.read.get(), POLLIN, 0}, {errPipe.read.get(), POLLIN, 0}};
    if (::poll(fds, 3, -1) < 0 && errno != EINTR) return errnoError("poll");
    if (const int signal = signals.received()) return endGroup(child), Result<ExitStatus>(cancelled(signal));
    if (fds[1].revents) drain(outPipe.read, outLines);
    if (fds[2].revents) drain(errPipe.read, errLines);
  }
  GODWIT_ASSIGN(const auto status, child.wait(Duration(-1)));
  return *status;
}

Result<void> pauseFor(Duration duration, SignalWatch& signals) {
  const SystemClock clock;
  const auto until = clock.monotonic() + duration;
  for (auto left = duration; left > Duration(0); left = until - clock.monotonic()) {
    if (const int signal = signals.received()) return cancelled(signal);
    pollfd fd{signals.fd(), POLLIN, 0};
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    if (::poll(&fd, 1, static_cast<int>(wait)) < 0 && errno != EINTR) return errnoError("poll");
  }
  return {};
}

}  // namespace godwit::mover
