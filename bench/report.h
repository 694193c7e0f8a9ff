// The table at the end: one row per question, the median of its samples beside its aim.
#pragma once
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/clock.h"
#include "base/result.h"

namespace godwit::bench {

struct Row {
  std::string what;
  double value = 0;
  std::string unit;   // "ms", "MiB", ...
  double aim = 0;     // 0: none
  bool more = false;  // the aim is a lower bound
  std::string note;
};

void addRow(Row row);
void printTable();

double median(std::vector<double> samples);

// Milliseconds since `start`.
double millisecondsSince(Duration start);
Duration now();

// Ends the benchmark with the error's message; true when there is one.
bool failed(benchmark::State& state, const Result<void>& result);

}  // namespace godwit::bench
