// godwit_sim: worlds from seeds. A world that fails prints how to see it again.
#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <cstdio>

#include "base/log.h"
#include "sim/world.h"

namespace {

using godwit::sim::Mishap;
using godwit::sim::Plan;
using godwit::sim::Verdict;

bool report(const Verdict& verdict, const std::string& again) {
  for (const auto& complaint : verdict.complaints) fmt::print("{}\n", complaint);
  if (!verdict.complaints.empty()) fmt::print("again: {}\n", again);
  std::fflush(stdout);
  return verdict.complaints.empty();
}

// Once more, with every step told.
int relive(Plan plan) {
  plan.trace = true;
  godwit::log::configure({.level = godwit::log::Level::Debug, .fd = 1});
  (void)live(plan);
  return 1;
}

// What one sweep does at one site: at every write a death before or after it, or at every call a mishap.
struct Blow {
  const char* what;
  bool crash, before;
  Mishap::Kind kind;
};
constexpr Blow kBlows[] = {{"crash after write", true, false, {}},
                           {"crash before write", true, true, {}},
                           {"refusal of call", false, false, Mishap::Kind::Refused},
                           {"conflict at call", false, false, Mishap::Kind::Conflict},
                           {"answer lost of call", false, false, Mishap::Kind::AnswerLost}};

class Sweep {
 public:
  Sweep(std::uint64_t seed, int stride, bool trace) : seed_(seed), stride_(stride), trace_(trace) {}

  int run() {
    for (const char* source : {"Clone", "Snapshot", "Direct"}) {
      for (const char* destination : {"Snapshot", "Direct"}) {
        for (const auto& blow : kBlows) {
          for (const int victim : {0, 1}) along(source, destination, blow, victim);
        }
      }
    }
    fmt::print("sweep: {} worlds, {} failed\n", worlds_, failed_);
    return failed_ ? 1 : 0;
  }

 private:
  void along(const char* source, const char* destination, const Blow& blow, int victim) {
    Plan plan;
    plan.seed = seed_;
    plan.victim = victim;
    plan.sourceMethod = source;
    plan.destinationMethod = destination;
    plan.crashBefore = blow.before;
    plan.mishap.kind = blow.kind;
    auto& at = blow.crash ? plan.crashAtWrite : plan.mishap.atCall;
    for (at = 0; failed_ < 5; at += stride_, ++worlds_) {
      const auto verdict = live(plan);
      const bool good = report(verdict, fmt::format("godwit_sim --sweep --seed {} ({} {} of operator {}, {} to {})",
                                                    seed_, blow.what, at, victim, source, destination));
      failed_ += !good;
      if (!good && trace_ && failed_ == 1) (void)relive(plan);
      if (!verdict.hit) return;
    }
  }

  const std::uint64_t seed_;
  const int stride_;
  const bool trace_;
  std::int64_t worlds_ = 0, failed_ = 0;
};

int storms(Plan plan, std::int64_t worlds, std::int64_t total) {
  Verdict sum;
  std::int64_t lived = 0, failed = 0;
  for (; lived < worlds || sum.iterations < total; ++lived, ++plan.seed) {
    const auto verdict = live(plan);
    sum.iterations += verdict.iterations;
    sum.crashes += verdict.crashes;
    sum.steps += verdict.steps;
    failed += !report(verdict, fmt::format("godwit_sim --seed {} --iterations {} --trace", plan.seed, plan.iterations));
    if (failed > 4) break;
  }
  fmt::print("{} worlds, {} iterations, {} crashes, {} steps, {} worlds failed\n", lived, sum.iterations, sum.crashes,
             sum.steps, failed);
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  std::int64_t worlds = 1, total = 0;
  bool sweeping = false;
  int stride = 1;
  CLI::App app{"A world of two clusters, with everything going wrong, from one seed"};
  app.add_option("--seed", plan.seed, "of the first world; the next ones count up");
  app.add_option("--worlds", worlds, "at least so many");
  app.add_option("--total", total, "and until so many iterations have been lived through in all of them");
  app.add_option("--iterations", plan.iterations, "per world, before its faults end");
  app.add_flag("--trace", plan.trace, "print every step");
  app.add_flag("--sweep", sweeping,
               "instead: one iteration with a crash at each of an operator's writes, an error at each of its calls; "
               "--trace tells the first that fails");
  app.add_option("--stride", stride, "with --sweep: only at every N-th of them")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  godwit::log::configure(
      {.level = plan.trace && !sweeping ? godwit::log::Level::Debug : godwit::log::Level::Error, .fd = 1});
  return sweeping ? Sweep(plan.seed, stride, plan.trace).run() : storms(plan, worlds, total);
}
