#include "mover/ledger.h"

#include <fmt/core.h>

namespace godwit::mover {

std::optional<std::string> Ledger::begin(Id id, bool pushes) {
  if (stopping_) return "the destination is ending";
  running_[id] = {pushes, ++started_};
  return std::nullopt;
}

void Ledger::end(Id id, int code) {
  const auto it = running_.find(id);
  if (it == running_.end()) return;
  constexpr int kVanished = 24;
  if (it->second.pushes && it->second.number > newestJudged_) {
    newestJudged_ = it->second.number;
    lastFailed_ = code != 0 && code != kVanished;
    lastCode_ = code;
  }
  running_.erase(it);
}

bool Ledger::pushes(Id id) const {
  const auto it = running_.find(id);
  return it != running_.end() && it->second.pushes;
}

void Ledger::closed(Id id) {
  constexpr int kCut = 255;
  end(id, kCut);
  waiting_.erase(id);
}

void Ledger::askShutdown(Id id, int code, int session) {
  waiting_[id] = {code, session};
}

void Ledger::distrust() {
  stopping_ = false;
  distrusts_ = true;
  distrusted_ = started_;
}

std::optional<Ledger::Verdict> Ledger::decide() {
  if (waiting_.empty() || !running_.empty() || stopping_) return std::nullopt;
  const auto [id, request] = *waiting_.begin();
  waiting_.erase(waiting_.begin());
  Verdict verdict{id, request.code, request.session, std::nullopt};
  if (lastFailed_) {
    verdict.refusal =
        fmt::format("the last transfer failed (code {}), the replica is not complete; send it again", lastCode_);
  } else if (distrusts_ && newestJudged_ <= distrusted_) {
    verdict.refusal = "what was written did not reach stable storage; send it again, it is written anew then";
  } else {
    stopping_ = true;
  }
  return verdict;
}

}  // namespace godwit::mover
