#include "sim/world.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

namespace godwit::sim {

namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{Duration(1'700'000'000'000'000'000)};
constexpr std::int64_t kBusyLoop = 100'000;  // steps at one instant; far more than any reaction needs

class World {
 public:
  explicit World(const Plan& plan)
      : plan_(plan), random_(plan.seed), clock_(kStart), movers_(clock_, random_), user_(clock_, random_) {}

  Verdict run() {
    if (!build()) return std::move(verdict_);
    if (plan_.crashAtWrite >= 0 || plan_.mishap.atCall >= 0) {
      sweep();
    } else {
      storm();
      settle();
    }
    if (verdict_.complaints.empty()) depart();
    for (const auto& site : sites_) verdict_.crashes += site->crashes;
    for (const auto& inspector : inspectors_) verdict_.iterations += inspector->iterations();
    verdict_.copies = movers_.copies();
    return std::move(verdict_);
  }

 private:
  void complain(const std::string& what) {
    trace("COMPLAINT " + what);
    if (verdict_.complaints.size() < 8) verdict_.complaints.push_back(fmt::format("at {}: {}", when(), what));
  }
  std::string when() const {
    return fmt::format("+{:.3f}s", std::chrono::duration<double>(clock_.monotonic()).count());
  }
  void trace(const std::string& line) const {
    if (plan_.trace) fmt::print("{:>14} {}\n", when(), line);
  }

  bool build() {
    movers_.complain = [this](const std::string& what) { complain(what); };
    movers_.trace = user_.trace = [this](const std::string& line) { trace(line); };
    movers_.content = [this](const std::string& path) -> Content* {
      for (const auto& site : sites_) {
        if (auto* found = site->volumes.at(path)) return found;
      }
      return nullptr;
    };
    std::vector<Site*> all;
    for (int i = 0; i < 2; ++i) {
      auto store = standalone::Store::open({}, clock_, random_);
      if (!store.ok()) return complain(store.error().message), false;
      sites_.push_back(std::make_unique<Site>(i, std::move(*store), clock_, random_, movers_));
      auto& site = *sites_.back();
      all.push_back(&site);
      site.volumes.inUse = [this](const std::string& path) { return movers_.uses(path); };
      site.operatorApi.trace = [this, i](const std::string& line) { trace(fmt::format("{} operator: {}", i, line)); };
      site.operatorApi.meanwhile = [this] { user_.meddle(); };
      site.nodeApi.trace = [this, i](const std::string& line) { trace(fmt::format("{} host: {}", i, line)); };
      site.volumes.complain = [this](const std::string& what) { complain(what); };
      inspectors_.push_back(std::make_unique<Inspector>(site, [this](const std::string& what) { complain(what); }));
      inspectors_.back()->changed = [this] { user_.attentive(); };
    }
    movers_.started = [this](const Mover& mover) { inspectors_[static_cast<std::size_t>(mover.host)]->started(mover); };
    user_.inhabit(all);
    parts_.push_back({"movers", [this] { return movers_.step(); }});
    parts_.push_back({"users", [this] { return user_.tend(); }});
    for (auto* site : all) {
      for (auto& part : site->parts()) parts_.push_back(std::move(part));
    }
    return true;
  }

  // Everybody acts, in random order, until nobody has anything to do at this instant.
  void react() {
    std::vector<std::size_t> awake(parts_.size());
    const auto wakeAll = [&] {
      awake.resize(parts_.size());
      for (std::size_t i = 0; i < awake.size(); ++i) awake[i] = i;
    };
    wakeAll();
    for (std::int64_t steps = 0; !awake.empty() && verdict_.complaints.empty(); ++steps) {
      if (steps > kBusyLoop) return complain("busy: everybody acts and time does not move");
      const auto pick = random_.below(awake.size());
      const auto& part = parts_[awake[pick]];
      ++verdict_.steps;
      if (!part.step()) {
        awake.erase(awake.begin() + static_cast<std::ptrdiff_t>(pick));
        continue;
      }
      for (const auto& inspector : inspectors_) inspector->look();
      wakeAll();
    }
  }

  // To the next instant at which anybody has something to do, at most `most` away.
  void wait(Duration most) {
    Duration delay = most;
    const auto take = [&](const std::optional<Duration>& other) {
      if (other) delay = std::min(delay, *other);
    };
    for (const auto& site : sites_) take(site->nextDelay());
    take(movers_.nextDelay());
    take(user_.nextDelay());
    clock_.advance(std::max<Duration>(delay, 1ms));
  }

  void live(
      Duration most, const std::function<bool()>& enough, const std::function<void()>& meanwhile = [] {}) {
    const auto end = clock_.monotonic() + most;
    while (verdict_.complaints.empty() && clock_.monotonic() < end) {
      react();
      if (enough()) return;
      meanwhile();
      if (random_.below(100) == 0) {
        for (const auto& site : sites_) site->forgetEvents();
      }
      wait(10s);
    }
  }

  std::int64_t iterations() const {
    std::int64_t sum = 0;
    for (const auto& inspector : inspectors_) sum += inspector->iterations();
    return sum;
  }

  double upTo(double most) { return random_.below(3) == 0 ? 0 : random_.unit() * most; }
  Faults anyFaults() {
    Faults out;
    out.refuse = upTo(0.05);
    out.loseAnswer = upTo(0.04);
    out.conflict = upTo(0.05);
    out.crash = upTo(0.02);
    out.breakWatch = upTo(0.01);
    out.gone = upTo(0.005);
    out.repeat = upTo(0.1);
    out.maxLag = std::chrono::milliseconds(random_.below(2) * random_.below(3000));
    return out;
  }
  // Users edit between any two calls of an operator; now and then its watches are minutes behind.
  Faults operatorFaults() {
    Faults out = anyFaults();
    out.meddle = upTo(0.01);
    if (random_.below(20) == 0) out.maxLag = std::chrono::milliseconds(random_.below(300'000));
    return out;
  }
  void setFaults() {
    for (const auto& site : sites_) {
      site->operatorApi.faults = operatorFaults();
      site->nodeApi.faults = anyFaults();
      site->nodeApi.faults.crash /= 10;  // takes every mover of the host with it
      site->volumes.failure = upTo(0.05);
      site->volumes.changing = upTo(0.1);
      site->volumes.slowest = std::chrono::milliseconds(random_.below(2) * random_.below(20000));
    }
    movers_.faults = {upTo(0.03), upTo(0.02), upTo(0.3), upTo(0.3)};
  }
  void endFaults() {
    for (const auto& site : sites_) {
      site->operatorApi.faults = site->nodeApi.faults = {};
      site->volumes.failure = site->volumes.changing = 0;
      site->volumes.slowest = {};
    }
    movers_.endFaults();
  }

  void storm() {
    setFaults();
    for (auto pairs = 1 + random_.below(3); pairs > 0; --pairs) user_.addPair();
    Duration meddling = 20s;
    const auto meanwhile = [&] {
      if (random_.below(3) == 0) user_.write();
      if (random_.below(200) == 0) setFaults();
      if (random_.below(100) == 0) movers_.killAny(random_.below(100));
      if (clock_.monotonic() < meddling) return;
      user_.meddle();
      meddling = clock_.monotonic() + std::chrono::milliseconds(random_.below(120'000));
    };
    live(
        plan_.longest, [&] { return iterations() >= plan_.iterations; }, meanwhile);
  }

  void settle() {
    if (!verdict_.complaints.empty()) return;
    trace("=== calm");
    endFaults();
    user_.write();
    user_.calm();
    std::string why = "not looked at";
    live(2h, [&] { return (why = user_.unsettled()).empty(); });
    if (verdict_.complaints.empty() && !why.empty()) return complain("no sync within 2 h of calm: " + why);
    live(10min, [&] { return (why = user_.clutter()).empty(); });
    if (verdict_.complaints.empty() && !why.empty()) complain("never cleaned up:" + why);
  }

  void sweep() {
    auto& site = *sites_[static_cast<std::size_t>(plan_.victim)];
    auto& victim = site.operatorApi;
    victim.crashAtWrite = plan_.crashAtWrite;
    victim.crashBefore = plan_.crashBefore;
    victim.mishap = plan_.mishap;
    user_.addPair(plan_.sourceMethod, plan_.destinationMethod, true);
    live(60s, [&] { return user_.write() && false; });
    settle();
    verdict_.hit = site.crashes > 0 || victim.mishap.happened;
    victim.crashAtWrite = -1;
    victim.mishap = {};
  }

  // Nothing that Godwit made outlives its owner.
  void depart() {
    trace("=== departure");
    user_.leave();
    std::string left = "not looked at";
    live(30min, [&] { return (left = user_.leftovers()).empty() && movers_.running() == 0; });
    if (verdict_.complaints.empty() && !left.empty()) complain("left behind:" + left);
  }

  const Plan plan_;
  Random random_;
  ManualClock clock_;
  Movers movers_;
  User user_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::vector<std::unique_ptr<Inspector>> inspectors_;
  std::vector<Site::Part> parts_;
  Verdict verdict_;
};

}  // namespace

Verdict live(const Plan& plan) {
  return World(plan).run();
}

}  // namespace godwit::sim
