#include "mover/signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace godwit::mover {

Result<SignalWatch> SignalWatch::make() {
  sigset_t set;
  sigemptyset(&set);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, s);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return errnoError("sigprocmask");
  SignalWatch out;
  out.fd_ = UniqueFd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!out.fd_.valid()) return errnoError("signalfd");
  return out;
}

int SignalWatch::received() {
  signalfd_siginfo info{};
  if (first_ == 0 && ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    first_ = static_cast<int>(info.ssi_signo);
  }
  return first_;
}

}  // namespace godwit::mover
