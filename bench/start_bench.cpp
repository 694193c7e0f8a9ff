#include "bench/report.h"
#include "bench/server.h"

namespace godwit::bench {

namespace {

// From fork to the first answered request, and what stays resident. `again`: over a data directory that exists.
void measureStart(benchmark::State& state, bool again) {
  std::vector<double> times, memory;
  const Directory directory;
  int round = 0;
  if (again && !Server::start(directory.path() / "data").ok()) return state.SkipWithError("standalone does not start");
  for (auto _ : state) {
    const auto start = now();
    const auto server = Server::start(directory.path() / (again ? "data" : "data" + std::to_string(round++)));
    if (!server.ok()) return state.SkipWithError(server.error().message.c_str());
    times.push_back(millisecondsSince(start));
    state.SetIterationTime(times.back() / 1000);
    const auto resident = (*server)->residentKiB();
    if (resident.ok()) memory.push_back(static_cast<double>(*resident) / 1024);
  }
  addRow({again ? "standalone start to first answer" : "standalone first start to first answer", median(times), "ms",
          150});
  if (again) addRow({"idle memory (VmRSS)", median(memory), "MiB", 20});
}

void firstStart(benchmark::State& state) {
  measureStart(state, false);
}
void start(benchmark::State& state) {
  measureStart(state, true);
}

BENCHMARK(firstStart)->UseManualTime()->Iterations(9)->Unit(benchmark::kMillisecond);
BENCHMARK(start)->UseManualTime()->Iterations(15)->Unit(benchmark::kMillisecond);

}  // namespace

}  // namespace godwit::bench
