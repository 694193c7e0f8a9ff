// Movers that follow a script in virtual time instead of running: a destination listens where its node told it to; a
// source finds it by address, checks the keys as ssh would, copies a volume's content in steps during which the replica
// is torn, and ends both with `shutdown`. They fail, die and dawdle as the faults say.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "sim/disk.h"
#include "standalone/ports.h"
#include "standalone/runner.h"

namespace godwit::sim {

struct MoverFaults {
  double die = 0;       // probability, at each step of its script, to end with a random code
  double slow = 0;      // probability of a copy fifty times as long
  double stubborn = 0;  // probability that TERM is ignored until KILL
  double wordless = 0;  // probability that the termination message is missing or broken
};

struct Mover {
  enum class Stage { Starting, Listening, Receiving, Connecting, Copying, Finishing, Ended };
  int host = 0;
  std::string pod;   // "namespace/name/uid"
  std::string side;  // host, namespace and Job: at most one of them at a time
  bool source = false;
  Stage stage = Stage::Starting;
  Duration due{0};     // of its next step
  Duration giveUp{0};  // end of the attempts to connect
  int stepsLeft = 0;
  int exitWith = 0;       // when Finishing ends
  bool stubborn = false;  // has been told to end, and does not
  std::string data;       // path of its volume
  std::string address;    // "HOST:PORT": listened on, or connected to
  std::map<std::string, std::string> keys;
  std::weak_ptr<Mover> peer;
  std::optional<ExitStatus> exit;
  std::string message;  // termination message
};

// All movers of the world and the network between them.
class Movers {
 public:
  Movers(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

  MoverFaults faults;
  std::function<Content*(const std::string& path)> content;
  std::function<void(const std::string& complaint)> complain;
  std::function<void(const Mover& mover)> started = [](const Mover&) {};
  std::function<void(const std::string& line)> trace = [](const std::string&) {};

  Result<std::shared_ptr<Mover>> start(int host, const standalone::ContainerSpec& spec);
  void signal(Mover& mover);
  void end(Mover& mover, int code, std::string error = {});
  bool step();  // whatever is due; true if anything was
  std::optional<Duration> nextDelay() const;
  bool uses(const std::string& path) const;
  bool listening(int host, int port) const;
  std::size_t running() const { return movers_.size(); }
  std::int64_t copies() const { return copies_; }
  void killAny(std::uint64_t which);
  void endFaults();

 private:
  void stepSource(const std::shared_ptr<Mover>& mover);
  void part(Mover& mover);
  void connect(const std::shared_ptr<Mover>& mover);
  void copied(Mover& source, Mover& destination);
  std::shared_ptr<Mover> listenerAt(const std::string& address) const;
  Duration soon(std::int64_t mostMillis);

  const Clock& clock_;
  Random& random_;
  std::vector<std::shared_ptr<Mover>> movers_;  // that have not ended, in order of their start
  std::int64_t copies_ = 0;
};

// One host's door to them.
class MoverHost final : public standalone::Runner, public standalone::Ports {
 public:
  MoverHost(int host, Movers& movers) : host_(host), movers_(movers) {}
  Result<std::unique_ptr<standalone::RunningContainer>> start(const standalone::ContainerSpec& spec) override;
  std::string terminationMessage(const std::string& stateDir) override;
  void forget(const std::string& stateDir) override { started_.erase(stateDir); }
  State look(int port, bool anywhere) override;
  std::string holder(int) override { return "a scripted mover"; }

 private:
  int host_;
  Movers& movers_;
  std::map<std::string, std::shared_ptr<Mover>> started_;  // by state directory
};

std::string hostAddress(int host);  // "192.0.2.N"

}  // namespace godwit::sim
