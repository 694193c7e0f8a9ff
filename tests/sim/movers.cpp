#include "sim/movers.h"

#include <fmt/core.h>

#include <algorithm>

#include "api/mover_result.h"

namespace godwit::sim {

using namespace std::chrono_literals;
using Stage = Mover::Stage;

namespace {

std::string environment(const standalone::ContainerSpec& spec, const char* name) {
  for (const auto& [key, value] : spec.env) {
    if (key == name) return value;
  }
  return {};
}

// "namespace/job-name-x7k2p/uid" -> "namespace/job-name"
std::string sideOf(int host, const std::string& pod) {
  const auto name = pod.substr(0, pod.rfind('/'));
  return fmt::format("{}:{}", host, name.substr(0, name.rfind('-')));
}

// As seen from `host`: 127.0.0.1 and 0.0.0.0 are itself.
std::string reachable(int host, const std::string& address, const std::string& port) {
  const bool self = address == "127.0.0.1" || address == "0.0.0.0";
  return (self ? hostAddress(host) : address) + ":" + port;
}

class Handle final : public standalone::RunningContainer {
 public:
  Handle(Movers& movers, std::shared_ptr<Mover> mover) : movers_(movers), mover_(std::move(mover)) {}
  std::optional<ExitStatus> poll() override { return mover_->exit; }
  void signal(int) override { movers_.signal(*mover_); }
  void kill() override { movers_.end(*mover_, 137, "killed"); }
  int eventFd() const override { return -1; }

 private:
  Movers& movers_;
  std::shared_ptr<Mover> mover_;
};

}  // namespace

std::string hostAddress(int host) {
  return fmt::format("192.0.2.{}", host + 1);
}

Duration Movers::soon(std::int64_t mostMillis) {
  return clock_.monotonic() + std::chrono::milliseconds(1 + random_.below(static_cast<std::uint64_t>(mostMillis)));
}

Result<std::shared_ptr<Mover>> Movers::start(int host, const standalone::ContainerSpec& spec) {
  auto mover = std::make_shared<Mover>();
  mover->host = host;
  mover->pod = spec.pod;
  mover->side = sideOf(host, spec.pod);
  mover->source = spec.command.size() > 2 && spec.command[2] == "source";
  for (const auto& mount : spec.mounts) {
    if (mount.target == "/data") mover->data = mount.source;
    if (mount.target != "/keys") continue;
    for (const auto& file : mount.files) mover->keys[file.name] = file.content;
  }
  if (mover->source) {
    mover->address =
        reachable(host, environment(spec, api::mover_env::kAddress), environment(spec, api::mover_env::kPort));
  } else {
    const auto listen = environment(spec, api::mover_env::kListen);
    const auto colon = listen.rfind(':');
    if (colon == std::string::npos) return Error{Errc::Invalid, spec.pod + ": no " + api::mover_env::kListen};
    mover->address = reachable(host, listen.substr(0, colon), listen.substr(colon + 1));
  }
  mover->due = soon(300);
  mover->giveUp = clock_.monotonic() + 62s;
  for (const auto& other : movers_) {
    if (other->side == mover->side) complain(fmt::format("{} runs while {} does", mover->pod, other->pod));
    const bool writer = !other->source || !mover->source;
    if (writer && other->data == mover->data)
      complain(fmt::format("{} and {} share volume {}", mover->pod, other->pod, mover->data));
  }
  if (!content(mover->data)) complain(fmt::format("{} has no volume at {}", mover->pod, mover->data));
  trace(fmt::format("mover {} starts ({})", mover->pod, mover->address));
  started(*mover);
  movers_.push_back(mover);
  return mover;
}

void Movers::end(Mover& mover, int code, std::string error) {
  if (mover.exit) return;
  mover.exit = ExitStatus{code, code > 128 ? code - 128 : 0};
  mover.stage = Stage::Ended;
  api::MoverResult result;
  result.ok = code == 0;
  result.engine = "rsync";
  result.error = std::move(error);
  mover.message = api::encode(result);
  if (random_.unit() < faults.wordless) mover.message.resize(random_.below(mover.message.size()));
  trace(fmt::format("mover {} ends with {} {}", mover.pod, code, result.error));
  part(mover);
  std::erase_if(movers_, [&](const auto& other) { return other.get() == &mover; });
}

// The connection breaks: the destination listens for the retry, the source tries again.
void Movers::part(Mover& mover) {
  const auto peer = mover.peer.lock();
  mover.peer.reset();
  if (!peer || peer->peer.lock().get() != &mover) return;
  peer->peer.reset();
  if (peer->stage == Stage::Receiving) peer->stage = Stage::Listening;
  if (peer->stage != Stage::Copying) return;
  peer->stage = Stage::Connecting;
  peer->due = soon(2000);
}

void Movers::signal(Mover& mover) {
  if (mover.exit) return;
  mover.stubborn = random_.unit() < faults.stubborn;
  if (mover.stubborn) return;
  if (mover.stage == Stage::Finishing) return;
  part(mover);
  mover.stage = Stage::Finishing;
  mover.exitWith = 143;
  mover.due = soon(3000);
}

void Movers::endFaults() {
  faults = {};
  // In its grace period one that ignores TERM still receives, for an owner that may be gone: nobody could ever tell.
  for (const auto& mover : movers_) {
    if (mover->stubborn) signal(*mover);
  }
}

void Movers::killAny(std::uint64_t which) {
  if (movers_.empty()) return;
  const auto victim = movers_[which % movers_.size()];
  end(*victim, 137, "killed from outside");
}

bool Movers::step() {
  const auto now = clock_.monotonic();
  std::vector<std::shared_ptr<Mover>> ready;
  for (const auto& mover : movers_) {
    const bool idle = mover->stage == Stage::Listening || mover->stage == Stage::Receiving;
    if (!idle && mover->due <= now) ready.push_back(mover);
  }
  for (const auto& mover : ready) {
    if (mover->exit) continue;
    if (mover->stage == Stage::Finishing) {
      end(*mover, mover->exitWith, mover->exitWith ? "terminated" : "");
    } else if (random_.unit() < faults.die) {
      end(*mover, static_cast<int>(1 + random_.below(200)), "injected: died");
    } else if (mover->source) {
      stepSource(mover);
    } else {
      mover->stage = Stage::Listening;
    }
  }
  return !ready.empty();
}

void Movers::stepSource(const std::shared_ptr<Mover>& mover) {
  if (mover->stage != Stage::Copying) return connect(mover);
  const auto peer = mover->peer.lock();
  if (!peer || peer->exit) return void(mover->stage = Stage::Connecting);
  if (random_.unit() < faults.die) return end(*peer, 255, "injected: died while receiving");
  if (--mover->stepsLeft > 0) return void(mover->due = soon(400));
  copied(*mover, *peer);
}

std::shared_ptr<Mover> Movers::listenerAt(const std::string& address) const {
  for (const auto& mover : movers_) {
    const bool awake = mover->stage == Stage::Listening || mover->stage == Stage::Receiving;
    if (!mover->source && awake && mover->address == address) return mover;
  }
  return nullptr;
}

void Movers::connect(const std::shared_ptr<Mover>& mover) {
  mover->stage = Stage::Connecting;
  const auto peer = listenerAt(mover->address);
  if (!peer || peer->stage == Stage::Receiving) {
    if (clock_.monotonic() >= mover->giveUp) return end(*mover, 1, "nobody listens on " + mover->address);
    return void(mover->due = soon(1000));
  }
  if (peer->keys["destination.pub"] != mover->keys["destination.pub"]) return end(*mover, 2, "wrong host key");
  if (peer->keys["source.pub"] != mover->keys["source.pub"] || mover->keys["source"].empty()) {
    return end(*mover, 2, "permission denied (publickey)");
  }
  auto* replica = content(peer->data);
  if (!replica) return end(*peer, 1, "the volume is gone");
  replica->torn = true;
  mover->stage = Stage::Copying;
  mover->stepsLeft = static_cast<int>(1 + random_.below(4)) * (random_.unit() < faults.slow ? 50 : 1);
  mover->due = soon(400);
  peer->stage = Stage::Receiving;
  mover->peer = peer;
  peer->peer = mover;
}

void Movers::copied(Mover& source, Mover& destination) {
  const auto* from = content(source.data);
  auto* to = content(destination.data);
  if (!from || !to) return end(source, 23, "a volume is gone");
  if (from->torn) complain(source.pod + " sends a torn volume");
  *to = *from;
  to->received = true;
  ++copies_;
  trace(fmt::format("{} has copied {} writes of {}", source.pod, from->writes, from->origin));
  // `shutdown`: sometimes the source dies before it can say so, and the destination waits for the next one.
  if (random_.unit() < faults.die) return end(source, 255, "injected: died before shutdown");
  for (auto* mover : {&source, &destination}) {
    mover->stage = Stage::Finishing;
    mover->exitWith = 0;
    mover->due = soon(500);
  }
}

std::optional<Duration> Movers::nextDelay() const {
  std::optional<Duration> delay;
  for (const auto& mover : movers_) {
    if (mover->stage == Stage::Listening || mover->stage == Stage::Receiving) continue;
    const auto left = std::max(Duration::zero(), mover->due - clock_.monotonic());
    delay = std::min(delay.value_or(left), left);
  }
  return delay;
}

bool Movers::uses(const std::string& path) const {
  return std::any_of(movers_.begin(), movers_.end(), [&](const auto& mover) { return mover->data == path; });
}

bool Movers::listening(int host, int port) const {
  const auto address = hostAddress(host) + ":" + std::to_string(port);
  return std::any_of(movers_.begin(), movers_.end(),
                     [&](const auto& mover) { return !mover->source && mover->address == address; });
}

Result<std::unique_ptr<standalone::RunningContainer>> MoverHost::start(const standalone::ContainerSpec& spec) {
  GODWIT_ASSIGN(auto mover, movers_.start(host_, spec));
  started_[spec.stateDir] = mover;
  return std::unique_ptr<standalone::RunningContainer>(std::make_unique<Handle>(movers_, std::move(mover)));
}

std::string MoverHost::terminationMessage(const std::string& stateDir) {
  const auto it = started_.find(stateDir);
  return it == started_.end() ? std::string() : it->second->message;
}

standalone::Ports::State MoverHost::look(int port, bool) {
  return movers_.listening(host_, port) ? State::Held : State::Free;
}

}  // namespace godwit::sim
