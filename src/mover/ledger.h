// What the destination knows of its transfers, and whether it may end. Pure: no clock, no sockets.
#pragma once
#include <map>
#include <optional>
#include <string>

namespace godwit::mover {

class Ledger {
 public:
  using Id = int;  // one per control connection

  // A transfer starts; a reason when it may not, because the destination is ending.
  std::optional<std::string> begin(Id id, bool pushes);
  // It ended with rsync's exit code. 24 (files vanished at the source) leaves what it should: the source decides.
  void end(Id id, int code);
  // Its connection closed; a transfer that had not ended was cut, which counts as failed.
  void closed(Id id);

  void askShutdown(Id id, int code, int session);

  struct Verdict {
    Id id;
    int code;
    int session;
    std::optional<std::string> refusal;  // the last push failed: the replica is not complete
  };
  // The answer to one pending shutdown, once nothing runs any more; an accepted one starts the end.
  std::optional<Verdict> decide();
  // The accepted shutdown could not be honoured, for what was written may be lost although it still reads well. Back to
  // listening; only a push that begins from now on, and writes everything anew, makes the replica complete.
  void distrust();
  bool distrusts() const { return distrusts_; }

  std::size_t running() const { return running_.size(); }
  bool pushes(Id id) const;  // it runs, and writes

 private:
  struct Transfer {
    bool pushes;
    unsigned number;
  };
  struct Request {
    int code, session;
  };
  std::map<Id, Transfer> running_;
  std::map<Id, Request> waiting_;
  unsigned started_ = 0;
  unsigned newestJudged_ = 0;  // the push that started last decides, whatever order they end in
  bool lastFailed_ = false;
  int lastCode_ = 0;
  bool stopping_ = false;
  bool distrusts_ = false;
  unsigned distrusted_ = 0;  // how many had started by then
};

}  // namespace godwit::mover
