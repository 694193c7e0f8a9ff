#include "cli/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

namespace godwit::cli {

namespace {

// Both descriptors stay open until the thread has been joined.
void listen(int signals, int end, std::stop_source source) {
  for (;;) {
    pollfd waits[] = {{signals, POLLIN, 0}, {end, POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0) continue;  // EINTR
    if (waits[1].revents) return;
    signalfd_siginfo info;
    if (::read(signals, &info, sizeof info) != sizeof info) continue;
    if (source.stop_requested()) ::_exit(128 + static_cast<int>(info.ssi_signo));
    source.request_stop();
  }
}

}  // namespace

Result<StopSignal> StopSignal::install() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);  // a terminal that is closed
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // a client that went away is an error of write(), not the end of the server
  UniqueFd signals(::signalfd(-1, &set, SFD_CLOEXEC));
  if (!signals.valid()) return errnoError("signalfd");
  GODWIT_ASSIGN(auto end, makePipe());
  return StopSignal(std::move(signals), std::move(end));
}

StopSignal::StopSignal(UniqueFd signals, Pipe end)
    : signals_(std::move(signals)), end_(std::move(end)), thread_(listen, signals_.get(), end_.read.get(), source_) {}

StopSignal::~StopSignal() {
  if (!thread_.joinable()) return;  // moved from
  end_.write.reset();               // hang-up wakes the thread
  thread_.join();
}

void StopSignal::wait() const {
  std::mutex mutex;
  std::condition_variable_any told;
  std::unique_lock lock(mutex);
  told.wait(lock, source_.get_token(), [] { return false; });
}

}  // namespace godwit::cli
