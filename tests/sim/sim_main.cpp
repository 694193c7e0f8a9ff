// godwit_sim: worlds from seeds. A world that fails prints how to see it again.
#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <cstdio>

#include "base/log.h"
#include "sim/world.h"

namespace {

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

// Every write of one iteration, the operator dying before or after it, on either side, under every pair of methods.
int sweep(std::uint64_t seed, bool trace) {
  std::int64_t worlds = 0, failed = 0;
  for (const char* source : {"Clone", "Snapshot", "Direct"}) {
    for (const char* destination : {"Snapshot", "Direct"}) {
      for (const int variant : {0, 1, 2, 3}) {
        Plan plan;
        plan.seed = seed;
        plan.crashSite = variant & 1;
        plan.crashBefore = (variant & 2) != 0;
        plan.sourceMethod = source;
        plan.destinationMethod = destination;
        for (plan.crashAtWrite = 0;; ++plan.crashAtWrite, ++worlds) {
          const auto verdict = live(plan);
          const auto again = fmt::format("godwit_sim --sweep --seed {} (crash {} write {} of operator {}, {} to {})", seed,
                                         plan.crashBefore ? "before" : "after", plan.crashAtWrite, plan.crashSite, source, destination);
          failed += !report(verdict, again);
          if (trace && failed == 1) return relive(plan);
          if (!verdict.crashed || failed > 4) break;
        }
      }
    }
  }
  fmt::print("crash sweep: {} worlds, {} failed\n", worlds, failed);
  return failed ? 1 : 0;
}

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
  fmt::print("{} worlds, {} iterations, {} crashes, {} steps, {} worlds failed\n", lived, sum.iterations, sum.crashes, sum.steps, failed);
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  std::int64_t worlds = 1, total = 0;
  bool sweeping = false;
  CLI::App app{"A world of two clusters, with everything going wrong, from one seed"};
  app.add_option("--seed", plan.seed, "of the first world; the next ones count up");
  app.add_option("--worlds", worlds, "at least so many");
  app.add_option("--total", total, "and until so many iterations have been lived through in all of them");
  app.add_option("--iterations", plan.iterations, "per world, before its faults end");
  app.add_flag("--trace", plan.trace, "print every step");
  app.add_flag("--sweep", sweeping, "instead: one iteration with a crash at each of the operator's writes; --trace tells the first that fails");
  CLI11_PARSE(app, argc, argv);
  godwit::log::configure({.level = plan.trace && !sweeping ? godwit::log::Level::Debug : godwit::log::Level::Error, .fd = 1});
  return sweeping ? sweep(plan.seed, plan.trace) : storms(plan, worlds, total);
}
