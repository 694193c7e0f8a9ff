// volsync_volume_out_of_sync, volsync_missed_intervals_total and volsync_sync_duration_seconds per object (contract
// section 2). Thread-safe. A deleted object's series go away with it.
#pragma once
#include <memory>
#include <string>

#include "api/replication.h"

namespace godwit::replication {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  void outOfSync(api::Role role, const api::NamespacedName& object, bool is);
  void missedInterval(api::Role role, const api::NamespacedName& object);
  void syncTook(api::Role role, const api::NamespacedName& object, Duration took);
  void forget(api::Role role, const api::NamespacedName& object);

  std::string render() const;  // Prometheus text exposition format 0.0.4

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::replication
