#include "mover/child.h"

#include <fcntl.h>
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

// One end of the pipe that a feed fills as fast as the child takes it.
class Feeder {
 public:
  Feeder(UniqueFd pipe, Feed feed) : pipe_(std::move(pipe)), feed_(std::move(feed)) {
    if (!feed_) pipe_.reset();
    if (!feed_) return;
    ::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(pipe_.get(), F_SETPIPE_SZ, 1 << 20);  // fewer turns where the limits allow it
  }
  pollfd watched() const { return {pipe_.get(), POLLOUT, 0}; }

  Result<void> turn() {
    if (left_.empty()) {
      GODWIT_ASSIGN(const auto more, feed_());
      if (!more) return pipe_.reset(), Result<void>();
      left_ = *more;
    }
    if (left_.empty()) return {};
    const auto n = ::write(pipe_.get(), left_.data(), left_.size());
    if (n > 0) left_.remove_prefix(static_cast<std::size_t>(n));
    if (n < 0 && errno == EPIPE) pipe_.reset();
    if (n < 0 && errno != EPIPE && errno != EAGAIN && errno != EINTR) return errnoError("writing to a child");
    return {};
  }

 private:
  UniqueFd pipe_;
  Feed feed_;
  std::string_view left_;
};

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

Result<ExitStatus> runChild(ProcessSpec spec, SignalWatch& signals, const LineSink& out, const LineSink& err,
                            Feed feed) {
  GODWIT_ASSIGN(auto outPipe, makePipe());
  GODWIT_ASSIGN(auto errPipe, makePipe());
  GODWIT_ASSIGN(auto inPipe, makePipe());  // without a feed empty: none of these programs may ask anybody anything
  spec.fds = {{0, inPipe.read.get()}, {1, outPipe.write.get()}, {2, errPipe.write.get()}};
  spec.newSession = true;
  spec.dieWithParent = true;
  GODWIT_ASSIGN(auto child, Process::spawn(spec));
  inPipe.read.reset();
  outPipe.write.reset();
  errPipe.write.reset();
  Feeder feeder(std::move(inPipe.write), std::move(feed));
  LineCutter outLines(out), errLines(err);
  while (outPipe.read.valid() || errPipe.read.valid()) {
    pollfd fds[4] = {
        {signals.fd(), POLLIN, 0}, {outPipe.read.get(), POLLIN, 0}, {errPipe.read.get(), POLLIN, 0}, feeder.watched()};
    if (::poll(fds, 4, -1) < 0 && errno != EINTR) return errnoError("poll");
    if (const int signal = signals.received()) return endGroup(child), Result<ExitStatus>(cancelled(signal));
    if (fds[1].revents) drain(outPipe.read, outLines);
    if (fds[2].revents) drain(errPipe.read, errLines);
    if (!fds[3].revents) continue;
    if (auto fed = feeder.turn(); !fed.ok()) return endGroup(child), Result<ExitStatus>(std::move(fed.error()));
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
