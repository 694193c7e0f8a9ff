#include <benchmark/benchmark.h>
#include <signal.h>

#include "bench/report.h"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const auto ran = benchmark::RunSpecifiedBenchmarks();
  godwit::bench::printTable();
  return ran == 0;
}
