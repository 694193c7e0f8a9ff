#include <fstream>
#include <thread>

#include <fmt/core.h>

#include "bench/pair.h"
#include "bench/report.h"

namespace godwit::bench {

namespace {

namespace fs = std::filesystem;

// A volume with a little in it, so that nothing is held back as a disaster.
void fillALittle(const fs::path& at) {
  fs::create_directories(at);
  for (int i = 0; i < 10; ++i) std::ofstream(at / fmt::format("file{}", i)) << "ten files that never change\n";
}

struct Stand {
  Directory directory;
  std::unique_ptr<Server> server;

  Result<void> start() {
    GODWIT_ASSIGN(server, Server::start(directory.path() / "data"));
    return {};
  }
  Result<std::unique_ptr<Pair>> pair(const std::string& name, Copy copy) {
    const auto from = directory.path() / name / "from", to = directory.path() / name / "to";
    fillALittle(from);
    fs::create_directories(to);
    return Pair::make(*server, name, copy, from, to);
  }
};

void emptyIteration(benchmark::State& state, Copy copy) {
  Stand stand;
  if (failed(state, stand.start())) return;
  auto pair = stand.pair("pair", copy);
  if (!pair.ok()) return state.SkipWithError(pair.error().message.c_str());
  std::vector<double> running, done;
  for (auto _ : state) {
    const auto asked = now();
    if (failed(state, (*pair)->trigger())) return;
    const auto answered = now();
    if (failed(state, (*pair)->awaitMover())) return;
    running.push_back(millisecondsSince(answered));
    if (failed(state, (*pair)->awaitSynced())) return;
    done.push_back(millisecondsSince(asked));
    state.SetIterationTime(done.back() / 1000);
    if (failed(state, (*pair)->awaitListening())) return;
  }
  const std::string kind = copy == Copy::Direct ? "Direct" : "Snapshot";
  addRow({"trigger answered to mover Job running, " + kind, median(running), "ms", copy == Copy::Direct ? 50.0 : 0.0});
  addRow({"one empty iteration end to end, " + kind, median(done) / 1000, "s", 0.6});
  if (const auto resident = stand.server->residentKiB(); resident.ok()) {
    addRow({"memory (VmRSS) after these iterations, " + kind, static_cast<double>(*resident) / 1024, "MiB"});
  }
}

void emptyDirect(benchmark::State& state) {
  emptyIteration(state, Copy::Direct);
}
void emptySnapshot(benchmark::State& state) {
  emptyIteration(state, Copy::Snapshot);
}

// Each pair takes its rounds one after the other; the pairs run beside each other.
Result<void> rounds(Pair& pair, int count) {
  for (int i = 0; i < count; ++i) {
    GODWIT_TRY(pair.trigger());
    GODWIT_TRY(pair.awaitMover());
    GODWIT_TRY(pair.awaitSynced());
    GODWIT_TRY(pair.awaitListening());
  }
  return {};
}

void manyPairs(benchmark::State& state) {
  const int count = std::max(2, static_cast<int>(50 * std::min(1.0, scale()))), each = 3;
  Stand stand;
  if (failed(state, stand.start())) return;
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < count; ++i) {
    auto pair = stand.pair(fmt::format("pair{}", i), Copy::Direct);
    if (!pair.ok()) return state.SkipWithError(pair.error().message.c_str());
    pairs.push_back(*std::move(pair));
  }
  for (auto _ : state) {
    const auto start = now();
    std::vector<Result<void>> results(pairs.size());
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < pairs.size(); ++i)
        threads.emplace_back([&, i] { results[i] = rounds(*pairs[i], each); });
    }
    for (const auto& result : results) {
      if (failed(state, result)) return;
    }
    const auto seconds = millisecondsSince(start) / 1000;
    state.SetIterationTime(seconds);
    addRow({fmt::format("iterations per minute, {} pairs, Direct", count), count * each * 60 / seconds, "1/min"});
  }
  if (const auto resident = stand.server->residentKiB(); resident.ok()) {
    addRow({fmt::format("memory (VmRSS) with {} pairs", count), static_cast<double>(*resident) / 1024, "MiB"});
  }
}

BENCHMARK(emptyDirect)->UseManualTime()->Iterations(10)->Unit(benchmark::kMillisecond);
BENCHMARK(emptySnapshot)->UseManualTime()->Iterations(10)->Unit(benchmark::kMillisecond);
BENCHMARK(manyPairs)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace

}  // namespace godwit::bench
