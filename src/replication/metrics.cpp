#include "replication/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>
#include <prometheus/text_serializer.h>

namespace godwit::replication {

namespace {

struct Series {
  prometheus::Gauge* outOfSync;
  prometheus::Counter* missed;
  prometheus::Summary* took;
};
using Key = std::pair<api::Role, api::NamespacedName>;

std::map<std::string, std::string> labelsOf(const Key& key) {
  return {{"obj_name", key.second.name},
          {"obj_namespace", key.second.ns},
          {"role", api::name(key.first)},
          {"method", "rsync"}};
}

const prometheus::Summary::Quantiles kQuantiles = {{0.5, 0.05}, {0.9, 0.01}, {0.99, 0.001}};

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Gauge>& outOfSync = prometheus::BuildGauge()
                                                         .Name("volsync_volume_out_of_sync")
                                                         .Help("Set to 1 if the volume is not properly synchronized")
                                                         .Register(registry);
  prometheus::Family<prometheus::Counter>& missed =
      prometheus::BuildCounter()
          .Name("volsync_missed_intervals_total")
          .Help("The number of times a synchronization failed to complete before the next scheduled start")
          .Register(registry);
  prometheus::Family<prometheus::Summary>& took = prometheus::BuildSummary()
                                                      .Name("volsync_sync_duration_seconds")
                                                      .Help("Duration of the synchronization interval in seconds")
                                                      .Register(registry);
  std::mutex mutex;
  std::map<Key, Series> series;

  Series& of(const Key& key) {  // with the mutex held
    const auto it = series.find(key);
    if (it != series.end()) return it->second;
    const auto labels = labelsOf(key);
    return series
        .emplace(key, Series{&outOfSync.Add(labels), &missed.Add(labels), &took.Add(labels, kQuantiles)})
        .first->second;
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::outOfSync(api::Role role, const api::NamespacedName& object, bool is) {
  std::scoped_lock lock(impl_->mutex);
  impl_->of({role, object}).outOfSync->Set(is ? 1 : 0);
}

void Metrics::missedInterval(api::Role role, const api::NamespacedName& object) {
  std::scoped_lock lock(impl_->mutex);
  impl_->of({role, object}).missed->Increment();
}

void Metrics::syncTook(api::Role role, const api::NamespacedName& object, Duration took) {
  std::scoped_lock lock(impl_->mutex);
  impl_->of({role, object}).took->Observe(std::chrono::duration<double>(took).count());
}

void Metrics::forget(api::Role role, const api::NamespacedName& object) {
  std::scoped_lock lock(impl_->mutex);
  const auto it = impl_->series.find({role, object});
  if (it == impl_->series.end()) return;
  impl_->outOfSync.Remove(it->second.outOfSync);
  impl_->missed.Remove(it->second.missed);
  impl_->took.Remove(it->second.took);
  impl_->series.erase(it);
}

std::string Metrics::render() const {
  std::scoped_lock lock(impl_->mutex);
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace godwit::replication
