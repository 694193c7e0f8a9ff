// The operator's heart: caches, queue and the reconciler of both kinds. Knows no thread of its own when stepped.
#pragma once
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"

namespace godwit::replication {

struct ControllerConfig {
  std::string moverImage = "localhost/godwit:latest";
  std::string moverImagePullPolicy;  // "": what the cluster takes by the image's tag
  std::vector<std::string> imagePullSecrets;
  std::vector<std::string> namespaces;  // empty: all
  enum class ForeignMovers { Report, Ignore } foreignMovers = ForeignMovers::Report;
  enum class KeyType { Ed25519, Rsa4096, Ecdsa } keyType = KeyType::Ed25519;
  std::string timeZone;  // for schedules without CRON_TZ; "" = the machine's
  int workers = 4;
  bool populator = true;  // claims that name a ReplicationDestination are filled
  // OpenShift: the SecurityContextConstraints that movers may use. Empty: the cluster has none.
  std::string securityConstraints;
};

class Metrics;  // replication/metrics.h

class Controller {
 public:
  Controller(kube::Api& api, const Clock& clock, Random& random, Metrics& metrics, ControllerConfig config);
  ~Controller();

  // Production: reflector threads and `workers` workers, until `stop`. Returns when all have ended.
  void run(std::stop_token stop);
  // Told once, when every kind has been listed, in one namespace at least; before run().
  void whenReady(std::function<void()> tell);
  // What keeps it from working, for people; empty: nothing. Any thread.
  std::string waitingFor() const;
  // Nothing does in one namespace at least, or in all when they are followed together. Any thread.
  bool works() const;

  // Simulation: one thread, nothing blocks.
  bool pump();     // feeds every event that is available to the caches; true if there was any
  bool stepOne();  // reconciles one ready key; false if none was ready
  std::optional<Duration> nextDelay() const;  // until a delayed key is due

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::replication
