#include "mover/forced_command.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "base/json.h"
#include "base/log.h"
#include "base/process.h"
#include "mover/account_view.h"
#include "mover/block_command.h"
#include "mover/confine.h"
#include "mover/control.h"
#include "mover/foreign_root.h"
#include "mover/identity.h"
#include "mover/rsync_command.h"
#include "mover/session.h"
#include "mover/temp_dir.h"
#include "mover/unescape.h"

namespace godwit::mover {

namespace {

using Words = std::vector<std::string>;

// Ours with the owners' view instead of the login's, and without a home: rsync would take aliases, which can run
// programs, from a file there, and it is /tmp.
std::vector<std::string> rsyncEnvironment(const Session& session) {
  auto out = ownersEnvironment(session.directory);
  std::vector<std::string_view> ours = {"HOME="};
  if (!out.empty()) ours.insert(ours.end(), {"LD_PRELOAD=", "NSS_WRAPPER_"});
  for (char** each = ::environ; *each; ++each) {
    const std::string_view variable = *each;
    if (std::none_of(ours.begin(), ours.end(), [&](auto prefix) { return variable.starts_with(prefix); }))
      out.emplace_back(variable);
  }
  out.emplace_back("HOME=/nonexistent");
  return out;
}

// A process that was told to end has so long for it.
constexpr int kGraceMs = 2000;

// rsync's receiver may outlive the process that we started; it is our child then (PR_SET_CHILD_SUBREAPER). Returns when
// nobody of the group is left: what still writes must not meet the next transfer.
void awaitGroup(pid_t group) {
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  (void)::sigprocmask(SIG_BLOCK, &child, nullptr);
  int signal = SIGTERM;
  for (pid_t ended; (ended = ::waitpid(-group, nullptr, WNOHANG)) >= 0;) {
    if (ended > 0) continue;
    (void)::kill(-group, signal);
    const timespec grace{kGraceMs / 1000, 0};
    if (::sigtimedwait(&child, nullptr, &grace) < 0 && errno == EAGAIN) signal = SIGKILL;
  }
}

// Ends with rsync, and ends rsync when the destination itself ends.
Result<int> superviseRsync(Process& rsync, int control) {
  pollfd fds[2] = {{rsync.pidfd(), POLLIN, 0}, {control, POLLIN, 0}};
  int signal = 0, patience = -1;
  while (!(fds[0].revents & POLLIN)) {
    const int ready = ::poll(fds, 2, patience);
    if (ready < 0 && errno != EINTR) return errnoError("poll");
    if (ready < 0 || (ready > 0 && fds[1].revents == 0)) continue;
    signal = signal == 0 ? SIGTERM : SIGKILL;
    (void)rsync.killGroup(signal).ok();
    patience = kGraceMs;
    fds[1].fd = -1;
    fds[1].revents = 0;
  }
  GODWIT_ASSIGN(const auto status, rsync.wait(Duration(-1)));
  awaitGroup(rsync.pid());
  return status->code;
}

// The directory that a transfer fills, if its attributes are not ours to set.
std::optional<UniqueFd> foreignRoot(int volume, const RsyncCommand& command) {
  if (!command.pushes()) return std::nullopt;
  auto directory = openBeneath(volume, command.paths[0]);
  if (!directory.ok() || !isForeign(directory->get())) return std::nullopt;  // rsync makes one, or says why it cannot
  return *std::move(directory);
}

// Filter rules travel behind the arguments, where nobody checks them, and can name files of further rules: a link in
// the volume would lead rsync to one elsewhere, whose lines a reader then tells from the names that are missing. An
// older rsync knows no such bound.
Result<bool> knowsConfineRoot(const std::vector<std::string>& environment) {
  ProcessSpec spec{.argv = {"rsync", "--confine-root=/", "--version"}, .env = environment};
  GODWIT_ASSIGN(const auto answer, runProcess(spec));
  return answer.status.success();
}

// Of a push that shall write every file anew, for what is there may not have reached the device.
Result<void> checkWritesAnew(const RsyncCommand& command) {
  if (command.spares.empty()) return {};
  return Error{Errc::Forbidden, fmt::format("rsync option {} is refused now: the destination's storage lost what was "
                                            "written, every file has to be sent again",
                                            command.spares)};
}

// `anew`: nothing that is there may be taken for written.
Result<ProcessSpec> rsyncProcess(const Session& session, const RsyncCommand& command, bool anew) {
  ProcessSpec spec{.argv = {"rsync"}, .env = rsyncEnvironment(session), .cwd = session.data, .dieWithParent = true};
  auto& argv = spec.argv;
  argv.insert(argv.end(), command.options.begin(), command.options.end());
  if (command.pushes()) argv.insert(argv.begin() + 2, std::string(kCompareNanoseconds));
  if (command.pushes() && anew) {
    GODWIT_TRY(checkWritesAnew(command));
    argv.insert(argv.end(), {"--ignore-times", "--whole-file"});
  }
  GODWIT_ASSIGN(const bool bounded, knowsConfineRoot(*spec.env));
  if (bounded) argv.push_back("--confine-root=" + session.data);
  argv.push_back(".");
  argv.insert(argv.end(), command.paths.begin(), command.paths.end());
  return spec;
}

Result<int> runRsync(const Session& session, const Words& words) {
  GODWIT_ASSIGN(const auto command, parseRsyncCommand(words, session.data));
  GODWIT_ASSIGN(const auto volume, openVolume(session.data));
  for (const auto& path : command.paths) GODWIT_TRY(checkBeneath(volume.get(), path));
  for (const auto& path : command.optionPaths) GODWIT_TRY(checkBeneath(volume.get(), path));
  const int control = session.control.get();
  const auto foreign = foreignRoot(volume.get(), command);
  GODWIT_ASSIGN(const bool confined,
                confineToVolume(session, command.pushes() ? VolumeUse::WriteFiles : VolumeUse::Read));
  if (!confined && command.namesFollow)
    return Error{Errc::Forbidden, "--files-from needs a kernel with Landlock here: its names could lead through links"};
  GODWIT_ASSIGN(const auto how, askControl(control, command.pushes() ? "begin push" : "begin read"));
  GODWIT_ASSIGN(auto spec, rsyncProcess(session, command, how == kAnew));
  if (foreign) spareForeignRoot(*spec.env, session.directory + "/" + kForeignRootLibrary, foreign->get());
  (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  GODWIT_ASSIGN(auto rsync, Process::spawn(spec));
  GODWIT_ASSIGN(const int code, superviseRsync(rsync, control));
  (void)sendMessage(control, fmt::format("end {}", code)).ok();  // a destination that has ended needs no report
  return code;
}

Result<int> runShutdown(const Session& session, const Words& words) {
  int code = -1;
  const auto& text = words.size() == 2 ? words[1] : std::string();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (error != std::errc() || end != text.data() + text.size() || code < 0 || code > 255) {
    return Error{Errc::Invalid, "usage: shutdown N, N from 0 to 255"};
  }
  GODWIT_TRY(askControl(session.control.get(), fmt::format("shutdown {} {}", code, session.id)));
  (void)writeAll(STDOUT_FILENO, std::string(kAccepted) + "\n").ok();  // accepted it is, whoever still listens
  return 0;
}

Result<std::string> confinedArgument(const Words& words) {
  if (words.size() > 2) return Error{Errc::Invalid, fmt::format("usage: {} [PATH]", words[0])};
  return confineName(words.size() == 2 ? words[1] : "/");
}

// One line of JSON: version, whether PATH exists, how many entries it holds (at most 1000), whether owners, whether
// ACLs and whether the attributes of PATH itself can be kept, and the bytes that are free.
Result<int> runInfo(const Session& session, const Words& words) {
  GODWIT_ASSIGN(const auto path, confinedArgument(words));
  GODWIT_ASSIGN(const auto volume, openVolume(session.data));
  GODWIT_TRY(checkBeneath(volume.get(), path));
  const auto directory = openBeneath(volume.get(), path);
  if (!directory.ok() && !directory.is(Errc::NotFound)) return directory.error();
  std::size_t entries = 0;
  if (directory.ok()) {
    constexpr std::size_t kEnough = 1000;
    GODWIT_ASSIGN(entries, countEntries(directory->get(), path == ".", kEnough));
  }
  struct statvfs fs {};
  if (::fstatvfs(volume.get(), &fs) != 0) return errnoError("statvfs");
  const Json answer = {{"godwit", GODWIT_VERSION},
                       {"exists", directory.ok()},
                       {"entries", entries},
                       {"root", ::geteuid() == 0},
                       {"acls", !knowsOneIdOnly()},
                       {"ownsPath", !directory.ok() || !isForeign(directory->get())},
                       {"free", static_cast<std::uint64_t>(fs.f_bavail) * fs.f_frsize}};
  GODWIT_TRY(writeAll(STDOUT_FILENO, dumpJson(answer) + "\n"));
  return 0;
}

Result<int> runPrepare(const Session& session, const Words& words) {
  GODWIT_ASSIGN(const auto path, confinedArgument(words));
  GODWIT_ASSIGN(const auto volume, openVolume(session.data));
  GODWIT_TRY(makeBeneath(volume.get(), path));
  return 0;
}

Result<int> dispatch(const Session& session, std::string_view text) {
  GODWIT_ASSIGN(const auto words, splitCommand(text));
  if (words.empty()) return Error{Errc::Invalid, "no command: there is no shell here"};
  if (words[0] == "shutdown") return runShutdown(session, words);
  if (session.block) return runBlockCommand(session, words);
  if (words[0] == "rsync") return runRsync(session, words);
  if (words[0] == "godwit-info") return runInfo(session, words);
  if (words[0] == "godwit-prepare") return runPrepare(session, words);
  if (auto refusal = refuseForFileSystem(words[0])) return *std::move(refusal);
  return Error{Errc::Forbidden, fmt::format("{}: only rsync --server and shutdown N can run here", words[0])};
}

// The first `limit` bytes of hostile text, printable.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out;
}

}  // namespace

int runForcedCommand(std::string_view command) {
  log::configure({.fd = STDERR_FILENO});
  auto session = openSession();
  if (!session.ok()) {
    log::error("mover", "{}", session.error().message);
    return 126;
  }
  const auto original = environment("SSH_ORIGINAL_COMMAND");
  // Who asks for a shell gets the text of authorized_keys, which says nothing to them.
  const bool shell = original.empty() && command.ends_with(kForcedCommand);
  const std::string_view text = shell ? std::string_view() : original.empty() ? command : original;
  const auto code = dispatch(*session, text);
  if (code.ok()) return *code;
  fmt::print(stderr, "{}{}\n", kRefused, shown(code.error().message));
  // The first connection may be spoken for by a transfer that never began; the log has its own.
  const auto listener = connectControl(session->directory + "/" + kSessionSocket);
  if (listener.ok()) {
    (void)sendMessage(listener->get(), fmt::format("refused {}: {}", shown(text), shown(code.error().message))).ok();
  }
  return 1;
}

}  // namespace godwit::mover
