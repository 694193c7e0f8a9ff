// A kube::Api between a component and the store that makes everything go wrong that can go wrong on the way there:
// refused and lost calls, answers lost after the write was done, conflicts, late, repeated and lost watch events, and
// the death of the caller before or after any write. Deterministic from its Random.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"

namespace godwit::sim {

// Thrown by a write to end its caller, as kill -9 would: the stepper destroys the component and starts a new one.
struct Crash {};

struct Faults {
  // Probabilities in [0, 1], each per call or per event.
  double refuse = 0;      // Unavailable, nothing was done
  double loseAnswer = 0;  // the write was done, the caller hears Timeout
  double conflict = 0;    // Conflict, nothing was done (writes only)
  double crash = 0;       // Crash, half of them before and half after the write
  double breakWatch = 0;  // Unavailable; the reflector resumes
  double gone = 0;        // 410; what was under way is never seen, only its outcome
  double repeat = 0;      // an event comes twice
  double meddle = 0;      // `meanwhile` is called before the call reaches the store
  Duration maxLag{0};     // events arrive up to this much later, in order
};

// One call of all, by its number, goes wrong in this way; a kind that only writes know waits for the next write.
struct Mishap {
  enum class Kind { Refused, Conflict, AnswerLost };
  std::int64_t atCall = -1;
  Kind kind = Kind::Refused;
  bool happened = false;
};

class LateEvents;  // of one watch

class FaultyApi final : public kube::Api {
 public:
  FaultyApi(kube::Api& real, const Clock& clock, Random& random) : real_(real), clock_(clock), random_(random) {}

  Faults faults;
  std::int64_t writes = 0;         // attempted
  std::int64_t crashAtWrite = -1;  // Crash at exactly this write (before when crashBefore, else after)
  bool crashBefore = true;
  std::int64_t calls = 0;  // reads, writes and watches attempted
  Mishap mishap;
  std::set<std::string> silent;                              // plurals of which no event arrives
  std::set<std::pair<std::string, std::string>> unreadable;  // plurals and namespaces that may not be listed or watched
  std::set<std::string> forbidden;                           // "patch replicationsources/status", "get pods/log"
  std::function<void()> meanwhile = [] {};                   // what somebody else does while a call is on its way
  std::function<void(const std::string& line)> trace = [](const std::string&) {};  // told of each write

  Result<Json> get(const kube::ResourceType& type, const kube::NamespacedName& key) override;
  Result<kube::List> list(const kube::ResourceType& type, const kube::ListOptions& options) override;
  Result<std::unique_ptr<kube::Watch>> watch(const kube::ResourceType& type,
                                             const kube::WatchOptions& options) override;
  Result<Json> create(const kube::ResourceType& type, const Json& object) override;
  Result<Json> patch(const kube::ResourceType& type, const kube::NamespacedName& key, const Json& mergePatch,
                     kube::Subresource subresource) override;
  Result<void> remove(const kube::ResourceType& type, const kube::NamespacedName& key,
                      const kube::DeleteOptions& options) override;
  Result<std::string> logs(const kube::NamespacedName& pod, const kube::LogOptions& options) override;

  // Until the next late event arrives at a watch; nullopt: none is under way.
  std::optional<Duration> nextDelay() const;

  bool chance(double probability);
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  std::set<const LateEvents*> watches;  // open ones

 private:
  Result<void> onTheWay(const char* verb, const kube::ResourceType& type);  // may refuse
  Result<void> may(const char* verb, std::string_view what) const;
  Result<void> mayRead(const char* verb, const kube::ResourceType& type, const std::string& ns) const;
  bool mishapNow(Mishap::Kind kind);
  template <class Act>
  auto write(const char* verb, const kube::ResourceType& type, const kube::NamespacedName& key, Act act)
      -> decltype(act());

  kube::Api& real_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace godwit::sim
