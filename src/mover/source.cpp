#include "mover/source.h"

#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/log.h"
#include "mover/block_device.h"
#include "mover/block_source.h"
#include "mover/child.h"
#include "mover/confine.h"
#include "mover/foreign_root.h"
#include "mover/identity.h"
#include "mover/peer.h"
#include "mover/report.h"
#include "mover/rsync_command.h"
#include "mover/rsync_output.h"
#include "mover/ssh_link.h"

namespace godwit::mover {

namespace {

// rsync's exit codes that decide something here.
enum RsyncCode { kSyntax = 1, kIncompatible = 2, kUnsupported = 4, kVanished = 24 };
constexpr std::string_view kAllowEmpty =
    "If the volume shall be empty, annotate the ReplicationSource godwit/allow-empty: \"true\" (--allow-empty)";

struct Attempt {
  int code = 0;
  ErrorDigest errors;
};

class Sender {
 public:
  Sender(const SourceOptions& options, SshLink link, SignalWatch& signals, api::MoverResult& result)
      : options_(options), link_(std::move(link)), signals_(signals), result_(result) {}
  ~Sender() { link_.disconnect(); }

  // The exit code; an error carries the message, and code() the exit code that goes with it.
  Result<void> run();
  int code() const { return code_; }

 private:
  Result<void> prepare();
  Result<void> learnRemote();
  Result<bool> holdsAnything() const;
  Result<void> guardReplica();
  Result<std::size_t> entriesOfReplica();
  Result<std::size_t> deletionsOfDryRun();
  Result<void> transfer();
  Result<Attempt> rsyncOnce();
  bool keepsAcls() const;
  std::vector<std::string> rsyncArguments(bool dryRun) const;
  void show(const Progress& progress);
  Error explain(const Attempt& attempt);
  Result<void> finish();
  void warn(std::string_view text) {
    result_.warning += fmt::format("{}{}", result_.warning.empty() ? "" : "; ", text);
  }

  const SourceOptions& options_;
  SshLink link_;
  SignalWatch& signals_;
  api::MoverResult& result_;
  SystemClock clock_;
  std::string remotePath_;
  Remote remote_;
  bool deleteFirst_ = false;
  bool vanishedBefore_ = false;
  int attempt_ = 1;
  Duration lastShown_{0};
  int code_ = 1;
};

Result<void> Sender::run() {
  GODWIT_ASSIGN(remotePath_, confineName(options_.path));
  if (remotePath_ != "." && remotePath_.back() != '/') remotePath_ += '/';
  GODWIT_TRY(holdsAnything());
  code_ = kSshFailed;
  log::info("mover", "sending {} to {}, path {}", options_.data, link_.where(), options_.path);
  GODWIT_TRY(link_.connect(signals_));
  GODWIT_TRY(learnRemote());
  GODWIT_TRY(transfer());
  return finish();
}

// Also finds out whether the volume can be read.
Result<bool> Sender::holdsAnything() const {
  GODWIT_ASSIGN(const auto volume, openVolume(options_.data));
  GODWIT_ASSIGN(const auto entries, countEntries(volume.get(), true, 1));
  return entries > 0;
}

Result<void> Sender::learnRemote() {
  GODWIT_ASSIGN(remote_, askRemote(link_, remotePath_, signals_));
  if (remote_.block) {
    return Error{Errc::Invalid, fmt::format("the destination's volume is a block device, the source's {} is a file "
                                            "system: make both of one volumeMode",
                                            options_.data)};
  }
  if (!remote_.godwit) {
    log::info("mover", "the other end is not Godwit: plain rsync");
  } else if (!remote_.root) {
    warn(fmt::format("the destination does not run as root: owners{} and devices are not kept",
                     keepsAcls() ? "" : ", ACLs"));
  } else if (!keepsAcls()) {
    warn("the source runs as an ordinary user: ACLs are not kept");
  }
  if (!remote_.ownsPath) warn(kForeignRoot);
  return {};
}

// An empty volume in place of one that was not is more often a failed mount than a wish. Looked at before every
// attempt: the one before may have been long ago, and a volume can vanish while its mover waits.
Result<void> Sender::guardReplica() {
  if (options_.allowEmpty) return {};
  GODWIT_ASSIGN(const bool holds, holdsAnything());
  if (holds) return {};
  GODWIT_ASSIGN(const auto losses, remote_.godwit ? entriesOfReplica() : deletionsOfDryRun());
  if (losses == 0) return {};
  code_ = kSafetyHalt;
  return Error{Errc::Conflict,
               fmt::format("the source volume {} is empty but its replica is not: nothing was sent or deleted. {}",
                           options_.data, kAllowEmpty)};
}

Result<std::size_t> Sender::entriesOfReplica() {
  GODWIT_ASSIGN(const auto now, askRemote(link_, remotePath_, signals_));
  return now.entries;
}

Result<std::size_t> Sender::deletionsOfDryRun() {
  ProcessSpec spec{.argv = rsyncArguments(true), .env = link_.environment()};
  api::MoverResult counted;
  constexpr int kNotSaid = -1;
  counted.deletions = kNotSaid;
  ErrorDigest errors;
  GODWIT_ASSIGN(const auto status, runChild(
                                       spec, signals_, [&](std::string_view line) { takeStatistic(line, counted); },
                                       [&](std::string_view line) { errors.take(line); }));
  if (!status.success()) {
    return Error{Errc::Unavailable, "cannot tell whether the replica is empty, and the source is: " + errors.first()};
  }
  if (counted.deletions == kNotSaid) {  // an rsync older than 3.1 does not
    code_ = kSafetyHalt;
    return Error{Errc::Conflict,
                 fmt::format("the source volume {} is empty, and the rsync at the other end is too old: cannot tell "
                             "whether the replica is empty; nothing was sent or deleted. {}",
                             options_.data, kAllowEmpty)};
  }
  return static_cast<std::size_t>(counted.deletions);
}

Result<void> Sender::prepare() {
  if (!remote_.godwit || remotePath_ == ".") return {};
  GODWIT_ASSIGN(const auto answer, link_.ask({"godwit-prepare", remotePath_}, signals_));
  if (answer.status.success()) return {};
  return Error{Errc::Io, fmt::format("the destination cannot make {}: {}", options_.path, reason(answer))};
}

// A sandbox that knows one id reads and sets ACLs of others wrongly, and rsync would fail for ever.
bool Sender::keepsAcls() const {
  return remote_.acls && !knowsOneIdOnly();
}

std::vector<std::string> Sender::rsyncArguments(bool dryRun) const {
  // Without CAP_SYS_ADMIN, trusted.* can be neither read nor set, yet btrfs lists it, and rsync would fail for ever.
  std::vector<std::string> out = {"rsync",
                                  keepsAcls() ? "-aHAXSx" : "-aHXSx",
                                  "--numeric-ids",
                                  std::string(kCompareNanoseconds),
                                  "--exclude=/lost+found",
                                  "--no-h"};
  // With a filter of ours rsync forgets its own: ACLs would travel as attributes a second time, and what only root may
  // set would become user.rsync.* at a receiver that is not root.
  if (remote_.root) {
    out.insert(out.end(), {"--filter=-x trusted.*", "--filter=-x system.*"});
  } else {
    out.push_back("--filter=-x! user.*");
  }
  out.push_back(deleteFirst_ ? "--delete-before" : "--delete");
  out.push_back(dryRun ? "--info=stats2" : "--info=progress2,stats2");
  if (dryRun) out.push_back("--dry-run");
  if (!remote_.godwit && remotePath_ != ".") out.push_back("--mkpath");
  out.insert(out.end(), {"-e", link_.rsyncShell()});
  out.push_back(options_.data.back() == '/' ? options_.data : options_.data + "/");
  out.push_back(std::string(SshLink::host()) + ":" + remotePath_);
  return out;
}

Result<Attempt> Sender::rsyncOnce() {
  Attempt attempt;
  ProcessSpec spec{.argv = rsyncArguments(false), .env = link_.environment()};
  const auto out = [&](std::string_view line) {
    if (const auto progress = parseProgress(line))
      show(*progress);
    else
      takeStatistic(line, result_);
  };
  const auto err = [&](std::string_view line) {
    attempt.errors.take(line);
    log::warn("mover", "{}", line);
  };
  GODWIT_ASSIGN(const auto status, runChild(spec, signals_, out, err));
  attempt.code = status.code;
  return attempt;
}

void Sender::show(const Progress& progress) {
  publishProgress({{"bytes", progress.bytes},
                   {"percent", progress.percent},
                   {"rate", progress.rate},
                   {"etaSeconds", progress.etaSeconds},
                   {"filesTransferred", progress.filesTransferred},
                   {"filesLeft", progress.filesLeft},
                   {"files", progress.filesKnown},
                   {"attempt", attempt_}});
  constexpr Duration kEvery = std::chrono::seconds(2);
  const auto now = clock_.monotonic();
  if (lastShown_ != Duration(0) && now - lastShown_ < kEvery) return;
  lastShown_ = now;
  log::info("mover", "{}% of what is known, {} bytes, {} files sent, {} of {} to check, {} bytes/s, {} s left",
            progress.percent, progress.bytes, progress.filesTransferred, progress.filesLeft, progress.filesKnown,
            progress.rate, progress.etaSeconds);
}

Error Sender::explain(const Attempt& attempt) {
  auto message = fmt::format("rsync ended with code {}: {}", attempt.code, attempt.errors.first());
  if (attempt.code == kVanished) {
    message = fmt::format(
        "{} files vanished while they were read (code 24); take a point-in-time copy (copyMethod Snapshot or Clone)",
        attempt.errors.vanished());
  }
  if (!attempt.errors.noSpace()) return {Errc::Io, std::move(message)};
  struct statvfs fs {};
  const bool known = ::statvfs(options_.data.c_str(), &fs) == 0;
  const auto used = known ? static_cast<std::uint64_t>(fs.f_blocks - fs.f_bfree) * fs.f_frsize : 0;
  return {Errc::Io, fmt::format("the destination is full: {} bytes were free there before the transfer, the source's "
                                "file system holds {} bytes; "
                                "enlarge the destination's volume. {}",
                                remote_.free, used, attempt.errors.first())};
}

Result<void> Sender::transfer() {
  for (TransferRetry retry;;) {
    code_ = 1;
    GODWIT_TRY(guardReplica());
    GODWIT_TRY(prepare());
    GODWIT_ASSIGN(const auto attempt, rsyncOnce());
    result_.vanished = attempt.errors.vanished();
    code_ = attempt.code;
    if (attempt.code == 0) return {};
    if (attempt.code == kVanished && options_.direct && vanishedBefore_) {
      warn(fmt::format("{} files vanished during the transfer of a volume in use", result_.vanished));
      return {};
    }
    vanishedBefore_ = attempt.code == kVanished;
    const bool hopeless = attempt.code == kSyntax || attempt.code == kIncompatible || attempt.code == kUnsupported;
    // A full destination is tried once more: what is to be deleted may make the room if it goes first.
    if (hopeless || (attempt.errors.noSpace() && deleteFirst_)) return explain(attempt);
    deleteFirst_ |= attempt.errors.noSpace();
    GODWIT_ASSIGN(const bool again, tryAgain(retry, link_, signals_, explain(attempt).message, code_));
    if (!again) return explain(attempt);
    attempt_ = retry.attempt();
  }
}

Result<void> Sender::finish() {
  code_ = 1;
  const auto sendAgain = [this] {
    auto sent = transfer();
    if (sent.ok()) code_ = 1;
    return sent;
  };
  GODWIT_ASSIGN(const auto warning, endRemote(link_, remote_, signals_, sendAgain));
  if (warning) warn(*warning);
  return {};
}

Result<void> send(const SourceOptions& options, bool block, api::MoverResult& result, int& code) {
  GODWIT_ASSIGN(auto signals, SignalWatch::make());
  GODWIT_ASSIGN(const auto dir, TempDir::make());
  GODWIT_ASSIGN(auto link, SshLink::setUp(dir, options));
  if (block) {
    const auto sent = sendBlock(options, std::move(link), signals, result, code);
    if (signals.received()) code = 128 + signals.received();
    return sent;
  }
  Sender sender(options, std::move(link), signals, result);
  const auto sent = sender.run();
  code = signals.received() ? 128 + signals.received() : sender.code();
  return sent;
}

}  // namespace

int runSource(const SourceOptions& options) {
  log::configure({.fd = STDOUT_FILENO});
  ::signal(SIGPIPE, SIG_IGN);
  if (!options.progress.empty()) ::setenv(api::mover_env::kProgress, options.progress.c_str(), 1);
  const SystemClock clock;
  const auto start = clock.monotonic();
  api::MoverResult result;
  auto located = options;
  const auto volume = findVolume(options.data, options.block);
  if (volume.ok()) located.data = volume->path;
  const bool block = volume.ok() && volume->block;
  result.engine = block ? "block" : "rsync";
  int code = 1;
  const auto sent = volume.ok() ? send(located, block, result, code) : Result<void>(volume.error());
  result.duration = clock.monotonic() - start;
  result.ok = sent.ok();
  if (!sent.ok()) result.error = sent.error().message;
  report(result, api::summary(result));
  return sent.ok() ? 0 : std::max(code, 1);
}

}  // namespace godwit::mover
