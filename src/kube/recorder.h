// Kubernetes Events with aggregation: the same (object, type, reason, message) within ten minutes raises `count`
// instead of making another, and a flood from one object is cut (25 at once, then one every five minutes).
#pragma once
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"

namespace godwit::kube {

enum class EventType { Normal, Warning };

struct ObjectReference {
  std::string apiVersion, kind, ns, name, uid, resourceVersion;
};

class Recorder {
 public:
  Recorder(Api& api, const Clock& clock, Random& random, std::string component);
  ~Recorder();
  // Never fails the caller: what the server refuses is logged and dropped. `message` is cut at 1,024 bytes.
  void event(const ObjectReference& about, EventType type, std::string_view reason, std::string_view message);
  // Until `stop`: events are written here, behind those who tell them. When too many wait the newest are dropped.
  // Without it event() writes at once, as the simulation wants it.
  void run(std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::kube
