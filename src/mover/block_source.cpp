#include "mover/block_source.h"

#include <fmt/core.h>

#include "base/json.h"
#include "base/log.h"
#include "mover/block_receive.h"
#include "mover/block_stream.h"
#include "mover/confine.h"
#include "mover/peer.h"
#include "mover/report.h"

namespace godwit::mover {

namespace {

class BlockSender {
 public:
  BlockSender(const SourceOptions& options, BlockDevice device, SshLink link, SignalWatch& signals,
              api::MoverResult& result, int& code)
      : options_(options),
        device_(std::move(device)),
        link_(std::move(link)),
        signals_(signals),
        result_(result),
        code_(code) {}
  ~BlockSender() { link_.disconnect(); }

  Result<void> run();

 private:
  Result<Remote> checkRemote();
  Result<void> guardReplica();
  Result<bool> replicaIsZero();
  Result<void> transfer();
  Result<void> sendOnce();
  void show(const BlockStream& stream, bool ended);
  Pulse untilSignalled();

  const SourceOptions& options_;
  BlockDevice device_;
  SshLink link_;
  SignalWatch& signals_;
  api::MoverResult& result_;
  int& code_;
  SystemClock clock_;
  int attempt_ = 1;
  Duration attemptStart_{0}, lastShown_{0};
};

Result<void> BlockSender::run() {
  result_.bytesTotal = static_cast<std::int64_t>(device_.size());
  code_ = kSshFailed;
  log::info("mover", "sending block device {}, {} bytes, to {}", options_.data, device_.size(), link_.where());
  GODWIT_TRY(link_.connect(signals_));
  GODWIT_ASSIGN(const auto remote, checkRemote());
  GODWIT_TRY(guardReplica());
  code_ = 1;
  const auto send = [this]() -> Result<void> {
    GODWIT_TRY(transfer());
    code_ = 1;
    return {};
  };
  GODWIT_TRY(send());
  GODWIT_ASSIGN(const auto warning, endRemote(link_, remote, signals_, send));
  result_.warning = warning.value_or("");
  return {};
}

Result<Remote> BlockSender::checkRemote() {
  GODWIT_ASSIGN(const auto remote, askRemote(link_, ".", signals_));
  code_ = 1;
  if (!remote.godwit) {
    return Error{
        Errc::Unsupported,
        fmt::format("{} is not Godwit: VolSync copies block devices in a way of its own (diskrsync), and plain "
                    "rsync cannot copy them at all; a block volume needs Godwit at both ends",
                    link_.where())};
  }
  if (!remote.block) {
    return Error{Errc::Invalid, fmt::format("the source's volume {} is a block device, the destination's is a file "
                                            "system: make both of one volumeMode (spec.rsync.volumeMode: Block), and "
                                            "update an older Godwit there",
                                            options_.data)};
  }
  GODWIT_TRY(checkFits(*remote.block, device_.size()));
  return remote;
}

// A device of nothing but zeroes in place of one that held something is more often a lost volume than a wish. One that
// holds something shows it in its first piece, as a rule.
Result<void> BlockSender::guardReplica() {
  if (options_.allowEmpty) return {};
  GODWIT_ASSIGN(const bool empty, device_.readsZero(device_.size(), untilSignalled()));
  if (!empty) return {};
  GODWIT_ASSIGN(const bool nothingToLose, replicaIsZero());
  if (nothingToLose) return {};
  code_ = kSafetyHalt;
  return Error{
      Errc::Conflict,
      fmt::format("the source volume {} holds nothing but zeroes but its replica does not: nothing was sent or "
                  "erased. If the volume shall be empty, annotate the ReplicationSource godwit/allow-empty: "
                  "\"true\" (--allow-empty)",
                  options_.data)};
}

Result<bool> BlockSender::replicaIsZero() {
  GODWIT_ASSIGN(const auto answer, link_.ask({"godwit-block-zero", std::to_string(device_.size())}, signals_));
  const auto json = parseJson(answer.out);
  if (answer.status.success() && json.ok() && find(*json, "zero")) return truth(*json, "zero");
  return Error{Errc::Unavailable, "cannot tell whether the replica is empty, and the source is: " + reason(answer)};
}

Result<void> BlockSender::transfer() {
  for (TransferRetry retry;;) {
    const auto sent = sendOnce();
    if (sent.ok() || sent.is(Errc::Cancelled)) return sent;
    GODWIT_ASSIGN(const bool again, tryAgain(retry, link_, signals_, sent.error().message, code_));
    if (!again) return sent;
    attempt_ = retry.attempt();
  }
}

Result<void> BlockSender::sendOnce() {
  BlockStream stream(device_);
  attemptStart_ = clock_.monotonic();
  const auto feed = [&]() -> Result<std::optional<std::string_view>> {
    auto next = stream.next();
    show(stream, next.ok() && !*next);
    return next;
  };
  code_ = 1;
  GODWIT_ASSIGN(const auto answer, link_.ask({"godwit-block", std::to_string(device_.size())}, signals_, feed));
  result_.bytesSent = static_cast<std::int64_t>(stream.sent());
  code_ = answer.status.code;
  if (!answer.status.success())
    return Error{Errc::Io, fmt::format("the block transfer broke at byte {} of {} (code {}): {}", stream.at(),
                                       device_.size(), code_, reason(answer))};
  code_ = 1;
  const auto json = parseJson(answer.out);
  const auto ours = hex(stream.digest());
  if (!json.ok() || text(*json, "digest") != ours)
    return Error{Errc::Io, "the destination did not confirm the digest of what was sent"};
  result_.digest = "sha256:" + ours;
  return {};
}

void BlockSender::show(const BlockStream& stream, bool ended) {
  constexpr Duration kEvery = std::chrono::seconds(2);
  const auto now = clock_.monotonic();
  if (!ended && lastShown_ != Duration(0) && now - lastShown_ < kEvery) return;
  lastShown_ = now;
  const double seconds = std::max(std::chrono::duration<double>(now - attemptStart_).count(), 1e-3);
  const auto rate = static_cast<std::int64_t>(static_cast<double>(stream.at()) / seconds);
  const auto left =
      rate > 0 ? static_cast<std::int64_t>((device_.size() - stream.at()) / static_cast<std::uint64_t>(rate)) : 0;
  const auto percent = static_cast<int>(static_cast<double>(stream.at()) * 100 / static_cast<double>(device_.size()));
  publishProgress({{"bytes", stream.at()},
                   {"total", device_.size()},
                   {"percent", percent},
                   {"rate", rate},
                   {"etaSeconds", left},
                   {"sent", stream.sent()},
                   {"attempt", attempt_}});
  log::info("mover", "{}%, {} of {} bytes, {} sent, {} bytes/s, {} s left", percent, stream.at(), device_.size(),
            stream.sent(), rate, left);
}

Pulse BlockSender::untilSignalled() {
  return [this]() -> Result<void> {
    const int signal = signals_.received();
    if (signal == 0) return {};
    return Error{Errc::Cancelled, fmt::format("ended by signal {}", signal)};
  };
}

}  // namespace

Result<void> sendBlock(const SourceOptions& options, SshLink link, SignalWatch& signals, api::MoverResult& result,
                       int& code) {
  GODWIT_ASSIGN(const auto path, confineName(options.path));
  if (path != ".")
    return Error{Errc::Invalid,
                 fmt::format("spec.rsync.path {}: a block device has no paths; leave it out", options.path)};
  GODWIT_ASSIGN(auto device, BlockDevice::openToRead(options.data));
  return BlockSender(options, std::move(device), std::move(link), signals, result, code).run();
}

}  // namespace godwit::mover
