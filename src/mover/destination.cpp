#include "mover/destination.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <map>

#include <fmt/core.h>

#include "base/clock.h"
#include "base/log.h"
#include "mover/address.h"
#include "mover/block_device.h"
#include "mover/confine.h"
#include "mover/control.h"
#include "mover/forced_command.h"
#include "mover/foreign_root.h"
#include "mover/keys.h"
#include "mover/ledger.h"
#include "mover/report.h"
#include "mover/signals.h"
#include "mover/sshd.h"

namespace godwit::mover {

namespace {

// Whoever can reach the port can open connections; ssh gives each 30 s to authenticate. When there are too many, the
// oldest that has not run a command gives way, so that idle strangers cannot keep the source out.
constexpr std::size_t kMaxSessions = 32;
// After the command's exit status was handed over: contract section 4.
constexpr Duration kHandOver = std::chrono::seconds(1);

class Listener {
 public:
  static Result<Listener> open(const DestinationOptions& options);
  // The exit code.
  Result<int> serve();
  // The signal that ended it, 0 when none did.
  int signal() { return signals_.received(); }
  bool block() const { return block_; }
  // What the replica will lack, whatever is sent.
  const std::string& warning() const { return warning_; }

 private:
  Listener(TempDir dir, SshdSetup sshd) : dir_(std::move(dir)), sshd_(std::move(sshd)) {}

  struct Session {
    Process process;
    std::string peer;
    bool loggedIn = false;
  };
  struct Ending {
    int code;
    int session;     // the connection that asked
    int control;     // its control connection, -1 when that has closed
    Duration until;  // meaningful once control is -1
  };

  std::vector<pollfd> watched() const;
  void turn(const pollfd& ready);
  void acceptPeer();
  bool makeRoom();
  void reap(int pidfd);
  void acceptCommand();
  void hear(int control);
  void obey(int control, const std::string& message);
  void begin(int control, bool pushes);
  void dropCommand(int control);
  void handOver();
  void answerShutdowns();
  Result<void> makeDurable() const;
  std::string notDurable(const Error& error);
  Error cancelled(int number) const;
  bool over() const;
  void endSessions();
  void endCommands();

  TempDir dir_;
  SshdSetup sshd_;
  SystemClock clock_;
  UniqueFd volume_, tcp_, control_;
  bool block_ = false;  // the volume is a block device
  std::string warning_;
  SignalWatch signals_;
  int nextSession_ = 1;
  std::map<int, Session> sessions_;   // by number
  std::map<int, UniqueFd> commands_;  // control connections by descriptor
  Ledger ledger_;
  std::optional<Ending> ending_;
};

// What the source sees as "/": the volume, or the directory in it that spec.rsync.path names. A device has no paths.
Result<std::string> directoryShown(const Volume& found, const std::string& path, int volume) {
  GODWIT_ASSIGN(const auto inside, confineName(found.block ? "/" : path));
  if (!found.block) GODWIT_TRY(makeBeneath(volume, inside));
  std::error_code error;
  const auto data = std::filesystem::canonical(found.path, error);
  if (error) return Error{Errc::Io, found.path + ": " + error.message()};
  return inside == "." ? data.string() : (data / inside).lexically_normal().string();
}

// Held open for makeDurable.
Result<UniqueFd> openFound(const Volume& volume) {
  if (!volume.block) return openVolume(volume.path);
  GODWIT_ASSIGN(auto device, BlockDevice::openToRead(volume.path));
  return std::move(device).descriptor();
}

// `data` is the directory that the source sees as "/".
Result<std::string> prepareForForeignRoot(const TempDir& dir, const std::string& data) {
  GODWIT_TRY(writeForeignRootLibrary(dir.file(kForeignRootLibrary)));
  GODWIT_ASSIGN(const auto directory, openVolume(data));
  if (!isForeign(directory.get())) return std::string();
  log::warn("mover", "{}", kForeignRoot);
  return std::string(kForeignRoot);
}

Result<Listener> Listener::open(const DestinationOptions& options) {
  GODWIT_ASSIGN(const auto address, parseListen(options.listen));
  GODWIT_ASSIGN(const auto found, findVolume(options.data, options.block));
  GODWIT_ASSIGN(auto volume, openFound(found));
  GODWIT_ASSIGN(auto dir, TempDir::make());
  GODWIT_ASSIGN(auto sshd, setUpSshd(dir, options.keys, options.user));
  if (!sshd.view.active) {
    log::warn("mover",
              "no private account view: without libnss-wrapper the host's accounts decide who can log in, "
              "and owners that have a name there get its number");
  }
  GODWIT_ASSIGN(const auto data, directoryShown(found, options.path, volume.get()));
  GODWIT_TRY(writePrivate(dir.file(kSessionData), data));
  std::string warning;
  if (!found.block && ::geteuid() != 0) {
    GODWIT_ASSIGN(warning, prepareForForeignRoot(dir, data));
  }
  Listener out(std::move(dir), std::move(sshd));
  out.volume_ = std::move(volume);
  out.block_ = found.block;
  out.warning_ = std::move(warning);
  GODWIT_ASSIGN(out.control_, listenControl(out.dir_.file(kSessionSocket)));
  GODWIT_ASSIGN(out.signals_, SignalWatch::make());
  GODWIT_ASSIGN(out.tcp_, listenTcp(address));
  log::info("mover", "listening on {} for {}{}", ownName(out.tcp_.get()), found.block ? "block device " : "", data);
  return out;
}

Result<int> Listener::serve() {
  while (!over()) {
    auto fds = watched();
    int wait = -1;
    if (ending_ && ending_->control < 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(ending_->until - clock_.monotonic()).count();
      wait = static_cast<int>(std::max<std::int64_t>(0, left));
    }
    if (::poll(fds.data(), fds.size(), wait) < 0 && errno != EINTR) return errnoError("poll");
    if (const int number = signal()) {
      if (!ending_) return endSessions(), cancelled(number);
      handOver();  // the replica is complete, whatever ends us
    }
    for (const auto& fd : fds) {
      if (fd.revents) turn(fd);
    }
    answerShutdowns();
  }
  endSessions();
  return ending_->code;
}

// Whoever comes after us does not know what we distrust.
Error Listener::cancelled(int number) const {
  auto message = fmt::format("ended by signal {} before the source was done", number);
  if (ledger_.distrusts())
    message +=
        "; the storage lost what was written: delete the destination's volume, or what it holds, before the "
        "next transfer";
  return {Errc::Cancelled, std::move(message)};
}

std::vector<pollfd> Listener::watched() const {
  std::vector<pollfd> fds = {{signals_.fd(), POLLIN, 0}, {control_.get(), POLLIN, 0}};
  if (!ending_) fds.push_back({tcp_.get(), POLLIN, 0});
  for (const auto& [number, session] : sessions_) fds.push_back({session.process.pidfd(), POLLIN, 0});
  for (const auto& [fd, command] : commands_) fds.push_back({fd, POLLIN, 0});
  return fds;
}

void Listener::turn(const pollfd& ready) {
  if (ready.fd == signals_.fd()) return;
  if (ready.fd == tcp_.get()) return acceptPeer();
  if (ready.fd == control_.get()) return acceptCommand();
  if (commands_.count(ready.fd)) return hear(ready.fd);
  reap(ready.fd);
}

void Listener::acceptPeer() {
  UniqueFd fd(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd.valid()) return;  // the peer went away again
  const auto peer = peerName(fd.get());
  if (sessions_.size() >= kMaxSessions && !makeRoom())
    return log::warn("mover", "{}: turned away, {} connections are open", peer, kMaxSessions);
  const int number = nextSession_++;
  auto process = startSshd(sshd_, fd.get(), number);
  if (!process.ok()) return log::error("mover", "{}: {}", peer, process.error().message);
  log::info("mover", "connection {} from {}", number, peer);
  sessions_.emplace(number, Session{*std::move(process), peer});
}

bool Listener::makeRoom() {
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {  // oldest first
    if (it->second.loggedIn) continue;
    log::warn("mover", "connection {} from {} gives way to a new one: {} are open", it->first, it->second.peer,
              kMaxSessions);
    (void)it->second.process.killGroup(SIGKILL).ok();
    (void)it->second.process.wait(Duration(-1)).ok();
    sessions_.erase(it);
    return true;
  }
  return false;
}

void Listener::reap(int pidfd) {
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (it->second.process.pidfd() != pidfd) continue;
    const auto status = it->second.process.wait(Duration(0));
    if (status.ok() && !*status) return;
    log::info("mover", "connection {} from {} ended", it->first, it->second.peer);
    sessions_.erase(it);
    return;
  }
}

void Listener::acceptCommand() {
  auto fd = acceptControl(control_.get());
  if (!fd.ok()) return log::warn("mover", "{}", fd.error().message);
  const int number = fd->get();
  commands_.emplace(number, *std::move(fd));
}

void Listener::hear(int control) {
  const auto message = receiveMessage(control);
  if (!message.ok() || message->empty()) return dropCommand(control);
  obey(control, *message);
}

void Listener::obey(int control, const std::string& message) {
  int code = 0, session = 0;
  if (message == "begin push" || message == "begin read") {
    begin(control, message == "begin push");
  } else if (::sscanf(message.c_str(), "login %d", &session) == 1) {
    if (const auto it = sessions_.find(session); it != sessions_.end()) it->second.loggedIn = true;
  } else if (::sscanf(message.c_str(), "end %d", &code) == 1) {
    log::info("mover", "the transfer ended with code {}", code);
    ledger_.end(control, code);
  } else if (::sscanf(message.c_str(), "shutdown %d %d", &code, &session) == 2) {
    if (ledger_.running() > 0) log::info("mover", "shutdown {} waits for a running transfer", code);
    ledger_.askShutdown(control, code, session);
  } else {
    log::warn("mover", "{}", message);
  }
}

// Two that write to one device would mix two copies in it. The older one's source has died or given it up: the newer
// takes its place, and waits for its end by itself.
void Listener::begin(int control, bool pushes) {
  const auto refusal = ledger_.begin(control, pushes);
  for (const auto& [other, command] : commands_) {
    if (!block_ || !pushes || refusal || other == control || !ledger_.pushes(other)) continue;
    log::warn("mover", "an older transfer gives way to a new one");
    ::shutdown(other, SHUT_WR);
  }
  if (!refusal) log::info("mover", "a transfer {} started", pushes ? "to the volume" : "from the volume");
  const std::string allowed = ledger_.distrusts() ? fmt::format("ok {}", kAnew) : "ok";
  if (!sendMessage(control, refusal ? "no " + *refusal : allowed).ok()) dropCommand(control);
}

void Listener::dropCommand(int control) {
  ledger_.closed(control);
  commands_.erase(control);
  if (ending_ && ending_->control == control) handOver();
}

// The answer is on its way: from here on we wait for nobody but for kHandOver.
void Listener::handOver() {
  if (ending_->control < 0) return;
  ending_->control = -1;
  ending_->until = clock_.monotonic() + kHandOver;
}

void Listener::answerShutdowns() {
  while (auto verdict = ledger_.decide()) {
    if (!verdict->refusal) {
      const auto durable = makeDurable();
      if (!durable.ok()) verdict->refusal = notDurable(durable.error());
    }
    if (verdict->refusal) {
      log::warn("mover", "shutdown {} refused: {}", verdict->code, *verdict->refusal);
      if (!sendMessage(verdict->id, "no " + *verdict->refusal).ok()) dropCommand(verdict->id);
      continue;
    }
    log::info("mover", "shutdown {} accepted", verdict->code);
    ending_ = Ending{verdict->code, verdict->session, verdict->id, Duration(0)};
    if (!sendMessage(verdict->id, "ok").ok()) dropCommand(verdict->id);
  }
}

// The kernel says it once: another syncfs would succeed although what failed to be written is still missing on the
// device. It reads well from memory and has the right size and time, so that rsync would not send it again either.
std::string Listener::notDurable(const Error& error) {
  ledger_.distrust();
  return error.message + "; the next transfer writes everything anew";
}

Result<void> Listener::makeDurable() const {
  if ((block_ ? ::fsync(volume_.get()) : ::syncfs(volume_.get())) != 0)
    return errnoError("writing the volume to stable storage");
  return {};
}

bool Listener::over() const {
  if (!ending_) return false;
  if (!sessions_.count(ending_->session)) return true;
  return ending_->control < 0 && clock_.monotonic() >= ending_->until;
}

// A forced command ends its rsync and then itself when it hears that we end. Nothing may write to the volume after us.
void Listener::endCommands() {
  constexpr auto kGrace = std::chrono::seconds(5);
  control_.reset();
  for (const auto& [fd, command] : commands_) ::shutdown(fd, SHUT_WR);
  const auto until = clock_.monotonic() + kGrace;
  while (!commands_.empty()) {
    std::vector<pollfd> fds;
    for (const auto& [fd, command] : commands_) fds.push_back({fd, POLLIN, 0});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.monotonic()).count();
    if (left <= 0 || (::poll(fds.data(), fds.size(), static_cast<int>(left)) < 0 && errno != EINTR)) break;
    for (const auto& fd : fds) {
      if (fd.revents) hear(fd.fd);
    }
  }
  for (const auto& [fd, command] : commands_) killPeer(fd);
  commands_.clear();
}

// sshd takes its session's processes' pipes with it.
void Listener::endSessions() {
  tcp_.reset();
  endCommands();
  for (auto& [number, session] : sessions_) (void)session.process.killGroup(SIGTERM).ok();
  for (auto& [number, session] : sessions_) {
    constexpr auto kGrace = std::chrono::seconds(2);
    const auto ended = session.process.wait(kGrace);
    if (!ended.ok() || *ended) continue;
    (void)session.process.killGroup(SIGKILL).ok();
    (void)session.process.wait(Duration(-1)).ok();
  }
  sessions_.clear();
}

}  // namespace

int runDestination(const DestinationOptions& options) {
  log::configure({.fd = STDOUT_FILENO});
  ::signal(SIGPIPE, SIG_IGN);
  const SystemClock clock;
  const auto start = clock.monotonic();
  api::MoverResult result;
  auto listener = Listener::open(options);
  result.engine = listener.ok() && listener->block() ? "block" : "rsync";
  const auto code = listener.ok() ? listener->serve() : Result<int>(listener.error());
  result.duration = clock.monotonic() - start;
  result.ok = code.ok() && *code == 0;
  if (listener.ok()) result.warning = listener->warning();
  if (!code.ok())
    result.error = code.error().message;
  else if (*code != 0)
    result.error = fmt::format("the source reported failure: shutdown {}", *code);
  report(result, api::summary(result));
  if (code.ok()) return *code;
  return listener.ok() && listener->signal() ? 128 + listener->signal() : 1;
}

}  // namespace godwit::mover
