#include "replication/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <mutex>
#include <vector>

namespace godwit::replication {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using Key = std::pair<api::Role, api::NamespacedName>;

// As client libraries have it: quantiles of the last ten minutes. Syncs of one object are rare, so that the samples
// themselves are smaller than any sketch of them; there may be ten thousand objects.
constexpr auto kWindow = std::chrono::minutes(10);
constexpr std::size_t kMostSamples = 64;
constexpr double kQuantiles[] = {0.5, 0.9, 0.99};

struct Sample {
  SteadyTime at;
  double seconds;
};
struct Series {
  bool outOfSync = false;
  double missed = 0, sum = 0;
  std::uint64_t count = 0;
  std::vector<Sample> recent;  // oldest first

  void forgetOld(SteadyTime now) {
    std::erase_if(recent, [&](const Sample& sample) { return now - sample.at > kWindow; });
    if (recent.size() > kMostSamples) recent.erase(recent.begin(), recent.end() - kMostSamples);
  }
  double quantile(double q) const {
    if (recent.empty()) return std::numeric_limits<double>::quiet_NaN();
    std::vector<double> sorted;
    for (const auto& sample : recent) sorted.push_back(sample.seconds);
    const auto at = std::min(sorted.size() - 1, static_cast<std::size_t>(q * static_cast<double>(sorted.size())));
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end());
    return sorted[at];
  }
};

// Names of objects hold nothing that would have to be escaped.
std::string labels(const Key& key, std::string_view more = {}) {
  return fmt::format("{{method=\"rsync\",obj_name=\"{}\",obj_namespace=\"{}\",role=\"{}\"{}}}", key.second.name,
                     key.second.ns, api::name(key.first), more);
}

std::string number(double value) {
  return value != value ? "NaN" : fmt::format("{}", value);
}

void head(std::string& out, const char* name, const char* type, const char* help) {
  out += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

}  // namespace

struct Metrics::Impl {
  std::mutex mutex;
  std::map<Key, Series> series;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::outOfSync(api::Role role, const api::NamespacedName& object, bool is) {
  std::scoped_lock lock(impl_->mutex);
  impl_->series[{role, object}].outOfSync = is;
}

void Metrics::missedInterval(api::Role role, const api::NamespacedName& object) {
  std::scoped_lock lock(impl_->mutex);
  impl_->series[{role, object}].missed += 1;
}

void Metrics::syncTook(api::Role role, const api::NamespacedName& object, Duration took) {
  const double seconds = std::chrono::duration<double>(took).count();
  const auto now = std::chrono::steady_clock::now();
  std::scoped_lock lock(impl_->mutex);
  auto& series = impl_->series[{role, object}];
  series.recent.push_back({now, seconds});
  series.forgetOld(now);
  series.sum += seconds;
  ++series.count;
}

void Metrics::forget(api::Role role, const api::NamespacedName& object) {
  std::scoped_lock lock(impl_->mutex);
  impl_->series.erase({role, object});
}

std::string Metrics::render() const {
  const auto now = std::chrono::steady_clock::now();
  std::string out;
  std::scoped_lock lock(impl_->mutex);
  head(out, "volsync_volume_out_of_sync", "gauge", "Set to 1 if the volume is not properly synchronized");
  for (const auto& [key, series] : impl_->series)
    out += fmt::format("volsync_volume_out_of_sync{} {:d}\n", labels(key), series.outOfSync);
  head(out, "volsync_missed_intervals_total", "counter",
       "The number of times a synchronization failed to complete before the next scheduled start");
  for (const auto& [key, series] : impl_->series)
    out += fmt::format("volsync_missed_intervals_total{} {}\n", labels(key), series.missed);
  constexpr const char* kTook = "volsync_sync_duration_seconds";
  head(out, kTook, "summary", "Duration of the synchronization interval in seconds");
  for (auto& [key, series] : impl_->series) {
    series.forgetOld(now);
    for (const double q : kQuantiles) {
      out +=
          fmt::format("{}{} {}\n", kTook, labels(key, fmt::format(",quantile=\"{}\"", q)), number(series.quantile(q)));
    }
    out += fmt::format("{0}_sum{1} {2}\n{0}_count{1} {3}\n", kTook, labels(key), series.sum, series.count);
  }
  return out;
}

}  // namespace godwit::replication
