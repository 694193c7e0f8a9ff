#include "bench/report.h"

#include <algorithm>

#include <fmt/core.h>

namespace godwit::bench {

namespace {

std::vector<Row>& rows() {
  static std::vector<Row> all;
  return all;
}

std::string verdict(const Row& row) {
  if (row.aim == 0) return "";
  const bool met = row.more ? row.value >= row.aim : row.value <= row.aim;
  return fmt::format("{} {:g} {}", row.more ? ">=" : "<", row.aim, met ? "met" : "MISSED");
}

}  // namespace

void addRow(Row row) {
  rows().push_back(std::move(row));
}

void printTable() {
  fmt::print("\n{:<52} {:>10} {:<9} {:<14} {}\n", "median of", "measured", "", "aim", "");
  for (const auto& row : rows()) {
    fmt::print("{:<52} {:>10.2f} {:<9} {:<14} {}\n", row.what, row.value, row.unit, verdict(row), row.note);
  }
}

double median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const auto half = samples.size() / 2;
  return samples.size() % 2 ? samples[half] : (samples[half - 1] + samples[half]) / 2;
}

Duration now() {
  return SystemClock().monotonic();
}

double millisecondsSince(Duration start) {
  return std::chrono::duration<double, std::milli>(now() - start).count();
}

bool failed(benchmark::State& state, const Result<void>& result) {
  if (result.ok()) return false;
  state.SkipWithError(result.error().message.c_str());
  return true;
}

}  // namespace godwit::bench
