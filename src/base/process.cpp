#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/core.h>

#include "base/landlock.h"
#include "base/pidfd.h"

namespace godwit {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (const auto& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

// From here to exec only async-signal-safe calls: another thread may have held any lock at fork.
struct ChildPlan {
  char* const* argv;
  char* const* envp;
  const char* cwd;
  const ProcessSpec* spec;
  int errorFd;
  pid_t parent;
};

void failChild(int errorFd) {
  const int err = errno;
  [[maybe_unused]] const auto n = ::write(errorFd, &err, sizeof err);
  ::_exit(127);
}

// Moves every mapped descriptor out of the way first, so that no mapping overwrites another's source.
bool mapDescriptors(const ProcessSpec& spec, int& errorFd) {
  constexpr int kHigh = 64, kMax = 16;
  if (spec.fds.size() > kMax) return errno = EINVAL, false;
  int parked[kMax];
  errorFd = ::fcntl(errorFd, F_DUPFD_CLOEXEC, kHigh);
  if (errorFd < 0) return false;
  for (std::size_t i = 0; i < spec.fds.size(); ++i) {
    parked[i] = ::fcntl(spec.fds[i].parent, F_DUPFD_CLOEXEC, kHigh);
    if (parked[i] < 0) return false;
  }
  for (std::size_t i = 0; i < spec.fds.size(); ++i) {
    if (::dup2(parked[i], spec.fds[i].child) < 0) return false;
  }
  return true;
}

void closeOthers(const ProcessSpec& spec, int errorFd) {
  unsigned from = 3;
  for (;;) {  // gaps between the descriptors to keep, in ascending order, without sorting or allocating
    int next = errorFd;
    for (const auto& map : spec.fds) {
      if (map.child >= static_cast<int>(from) && map.child < next) next = map.child;
    }
    if (static_cast<unsigned>(next) > from) ::syscall(SYS_close_range, from, static_cast<unsigned>(next) - 1, 0u);
    from = static_cast<unsigned>(next) + 1;
    if (next == errorFd) break;
  }
  ::syscall(SYS_close_range, from, ~0u, 0u);
}

void resetSignals(const std::vector<int>& blocked) {
  for (int s = 1; s < 32; ++s) ::signal(s, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  for (const int s : blocked) sigaddset(&set, s);
  ::sigprocmask(SIG_SETMASK, &set, nullptr);
}

// exec gives root what is in the bounding set. Without the right to drop (no root) there is nothing to lose.
void boundCapabilities(std::uint64_t kept) {
  for (unsigned long each = 0; each < 64 && ::prctl(PR_CAPBSET_READ, each, 0, 0, 0) >= 0; ++each) {
    if (!(kept >> each & 1)) ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
  }
}

// Not to be called before closeOthers.
bool openOwnPidfd(int number) {
  UniqueFd fd = openPidfd(::getpid());
  if (fd.get() != number) return fd.valid() && ::dup2(fd.get(), number) >= 0;
  return ::fcntl(fd.release(), F_SETFD, 0) == 0;
}

[[noreturn]] void runChild(ChildPlan plan) {
  resetSignals(plan.spec->blocked);
  if (plan.spec->capabilities) boundCapabilities(*plan.spec->capabilities);
  if (plan.spec->newSession) ::setsid();
  if (plan.spec->landlock >= 0 && !enterLandlock(plan.spec->landlock)) failChild(plan.errorFd);
  if (!mapDescriptors(*plan.spec, plan.errorFd)) failChild(plan.errorFd);
  closeOthers(*plan.spec, plan.errorFd);
  if (plan.spec->ownPidfd >= 0 && !openOwnPidfd(plan.spec->ownPidfd)) failChild(plan.errorFd);
  if (plan.cwd && ::chdir(plan.cwd) != 0) failChild(plan.errorFd);
  if (plan.spec->dieWithParent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(127);
  }
  ::execvpe(plan.argv[0], plan.argv, plan.envp);
  failChild(plan.errorFd);
  ::_exit(127);
}

ExitStatus decode(int status) {
  if (WIFSIGNALED(status)) return {128 + WTERMSIG(status), WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

}  // namespace

Result<Process> Process::spawn(const ProcessSpec& spec) {
  if (spec.argv.empty()) return Error{Errc::Invalid, "spawn: empty argv"};
  GODWIT_ASSIGN(auto errors, makePipe());
  const auto argv = pointers(spec.argv);
  const auto env = spec.env ? pointers(*spec.env) : std::vector<char*>{};
  const ChildPlan plan{argv.data(),
                       spec.env ? env.data() : ::environ,
                       spec.cwd.empty() ? nullptr : spec.cwd.c_str(),
                       &spec,
                       errors.write.get(),
                       ::getpid()};
  const pid_t pid = ::fork();
  if (pid < 0) return errnoError("fork");
  if (pid == 0) runChild(plan);
  errors.write.reset();
  int err = 0;
  ssize_t n;
  while ((n = ::read(errors.read.get(), &err, sizeof err)) < 0 && errno == EINTR) {
  }
  if (n == sizeof err) {
    ::waitpid(pid, nullptr, 0);
    return errnoError("cannot run " + spec.argv[0], err);
  }
  return Process(pid, openPidfd(pid));
}

static int pollMilliseconds(Duration left) {
  using std::chrono::milliseconds;
  return static_cast<int>(std::clamp<std::int64_t>(std::chrono::ceil<milliseconds>(left).count(), 0, 1 << 30));
}

Result<std::optional<ExitStatus>> Process::wait(Duration timeout) {
  if (status_) return std::optional(*status_);
  const SystemClock clock;
  const auto deadline = clock.monotonic() + timeout;
  for (;;) {
    pollfd p{pidfd_.get(), POLLIN, 0};
    const int n = ::poll(&p, 1, timeout < Duration::zero() ? -1 : pollMilliseconds(deadline - clock.monotonic()));
    if (n < 0 && errno != EINTR) return errnoError("poll");
    int status = 0;
    const pid_t pid = ::waitpid(pid_, &status, WNOHANG);
    if (pid < 0 && errno != EINTR) return errnoError("waitpid");
    if (pid == pid_) return std::optional(*(status_ = decode(status)));
    if (timeout >= Duration::zero() && clock.monotonic() >= deadline) return std::optional<ExitStatus>();
  }
}

Result<void> Process::kill(int signal) const {
  if (status_) return Error{Errc::NotFound, "process has ended"};
  if (::kill(pid_, signal) != 0) return errnoError(fmt::format("kill {}", pid_));
  return {};
}

Result<void> Process::killGroup(int signal) const {
  if (::kill(-pid_, signal) != 0) return errnoError(fmt::format("kill group {}", pid_));
  return {};
}

namespace {

// Feeds stdin and drains stdout and stderr at once, so that no pipe can fill up and block the child.
class Conversation {
 public:
  Conversation(Pipe& stdIn, Pipe& stdOut, Pipe& stdErr, std::string_view input) : input_(input) {
    fds_[0] = {stdIn.write.release(), POLLOUT, 0};
    fds_[1] = {stdOut.read.release(), POLLIN, 0};
    fds_[2] = {stdErr.read.release(), POLLIN, 0};
    ::fcntl(fds_[0].fd, F_SETFL, O_NONBLOCK);
    if (input_.empty()) close(0);
  }
  ~Conversation() {
    for (int i = 0; i < 3; ++i) close(i);
  }
  bool finished() const { return fds_[1].fd < 0 && fds_[2].fd < 0; }
  void turn(int milliseconds) {
    if (::poll(fds_, 3, milliseconds) <= 0) return;
    if (fds_[0].fd >= 0 && fds_[0].revents) feed();
    if (fds_[1].fd >= 0 && fds_[1].revents) drain(1, out);
    if (fds_[2].fd >= 0 && fds_[2].revents) drain(2, err);
  }
  std::string out, err;

 private:
  void close(int i) {
    if (fds_[i].fd >= 0) ::close(fds_[i].fd);
    fds_[i].fd = -1;
  }
  void feed() {
    const auto n = ::write(fds_[0].fd, input_.data(), input_.size());
    if (n > 0) input_.remove_prefix(static_cast<std::size_t>(n));
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || input_.empty()) close(0);
  }
  void drain(int i, std::string& into) {
    constexpr std::size_t kLimit = 1 << 20;
    char buffer[16 << 10];
    const auto n = ::read(fds_[i].fd, buffer, sizeof buffer);
    if (n == 0 || (n < 0 && errno != EINTR)) return close(i);
    if (n > 0) into.append(buffer, std::min(static_cast<std::size_t>(n), kLimit - std::min(kLimit, into.size())));
  }
  std::string_view input_;
  pollfd fds_[3];
};

}  // namespace

Result<RunOutput> runProcess(ProcessSpec spec, std::string_view input, Duration timeout) {
  GODWIT_ASSIGN(auto in, makePipe());
  GODWIT_ASSIGN(auto out, makePipe());
  GODWIT_ASSIGN(auto err, makePipe());
  spec.fds.push_back({0, in.read.get()});
  spec.fds.push_back({1, out.write.get()});
  spec.fds.push_back({2, err.write.get()});
  spec.newSession = true;
  GODWIT_ASSIGN(auto process, Process::spawn(spec));
  in.read.reset();
  out.write.reset();
  err.write.reset();
  Conversation talk(in, out, err, input);
  const SystemClock clock;
  const auto deadline = clock.monotonic() + timeout;
  while (!talk.finished() && clock.monotonic() < deadline) talk.turn(pollMilliseconds(deadline - clock.monotonic()));
  GODWIT_ASSIGN(auto status, process.wait(std::max(Duration::zero(), deadline - clock.monotonic())));
  if (!status) {
    (void)process.killGroup(SIGKILL).ok();
    GODWIT_TRY(process.wait(Duration(-1)));
    return Error{Errc::Timeout, fmt::format("{} did not end within {} s", spec.argv[0],
                                            std::chrono::duration_cast<std::chrono::seconds>(timeout).count())};
  }
  return RunOutput{*status, std::move(talk.out), std::move(talk.err)};
}

}  // namespace godwit
