#include <cstring>
#include <fstream>
#include <random>

#include <fmt/core.h>

#include "bench/pair.h"
#include "bench/plain_rsync.h"
#include "bench/report.h"

namespace godwit::bench {

namespace {

namespace fs = std::filesystem;

// Bytes that no compression shortens and no two blocks share.
class Noise {
 public:
  const std::string& block(std::size_t size) {
    block_.resize(size);
    for (std::size_t i = 0; i + 8 <= size; i += 8) {
      const auto word = engine_();
      std::memcpy(block_.data() + i, &word, 8);
    }
    return block_;
  }

 private:
  std::mt19937_64 engine_{1};
  std::string block_;
};

double oneFile(const fs::path& at) {
  const auto blocks = std::max(1, static_cast<int>(2048 * scale()));
  std::ofstream out(at / "large", std::ios::binary);
  Noise noise;
  for (int i = 0; i < blocks; ++i) out << noise.block(1 << 20);
  return blocks;
}

double manyFiles(const fs::path& at) {
  const auto count = std::max(100, static_cast<int>(200'000 * scale()));
  Noise noise;
  for (int i = 0; i < count; ++i) {
    const auto directory = at / fmt::format("d{:03}", i / 500);
    if (i % 500 == 0) fs::create_directory(directory);
    std::ofstream(directory / fmt::format("f{}", i), std::ios::binary) << noise.block(512);
  }
  return count;
}

// With syncfs of the destination, as a replica that is promised must be durable.
Result<double> plainSeconds(const PlainRsync& rsync, const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::create_directory(to);
  const auto start = now();
  GODWIT_TRY(rsync.copy(from, to));
  GODWIT_TRY(runProcess({.argv = {"sync", "-f", to.string()}}, {}, std::chrono::hours(1)));
  return millisecondsSince(start) / 1000;
}

Result<double> godwitSeconds(Pair& pair, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(to)) fs::remove_all(entry.path());
  const auto start = now();
  GODWIT_TRY(pair.trigger());
  GODWIT_TRY(pair.awaitMover());
  GODWIT_TRY(pair.awaitSynced());
  const auto seconds = millisecondsSince(start) / 1000;
  GODWIT_TRY(pair.awaitListening());
  return seconds;
}

// Each once in turn, so that both meet the same machine; the ratio is of the medians.
Result<void> compare(benchmark::State& state, double (*fill)(const fs::path&), const char* what, const char* unit) {
  const Directory directory;
  const auto from = directory.path() / "from", to = directory.path() / "to", plainTo = directory.path() / "plain";
  fs::create_directory(from);
  fs::create_directory(to);
  GODWIT_ASSIGN(const auto server, Server::start(directory.path() / "data"));
  const auto amount = fill(from);
  GODWIT_ASSIGN(const auto pair, Pair::make(*server, "pair", Copy::Direct, from, to));
  PlainRsync rsync(directory.path() / "sshd");
  GODWIT_TRY(rsync.start());
  std::vector<double> ours, theirs;
  for (auto _ : state) {
    GODWIT_ASSIGN(const auto plain, plainSeconds(rsync, from, plainTo));
    GODWIT_ASSIGN(const auto godwit, godwitSeconds(*pair, to));
    theirs.push_back(plain);
    ours.push_back(godwit);
    state.SetIterationTime(godwit);
  }
  addRow({fmt::format("{} {}: Godwit, trigger to synced", amount, what), amount / median(ours), unit});
  addRow({fmt::format("{} {}: rsync -a and syncfs", amount, what), amount / median(theirs), unit});
  addRow({fmt::format("{} {}: Godwit / rsync", amount, what), median(theirs) / median(ours), "x"});
  return {};
}

void large(benchmark::State& state) {
  failed(state, compare(state, oneFile, "MiB in one file", "MiB/s"));
}
void small(benchmark::State& state) {
  failed(state, compare(state, manyFiles, "files of 512 bytes", "files/s"));
}

BENCHMARK(large)->UseManualTime()->Iterations(3)->Unit(benchmark::kSecond);
BENCHMARK(small)->UseManualTime()->Iterations(3)->Unit(benchmark::kSecond);

}  // namespace

}  // namespace godwit::bench
