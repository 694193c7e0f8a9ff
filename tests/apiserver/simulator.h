// Plays what a cluster does for Godwit and no controller does here: Jobs get a pod and succeed, claims are bound,
// snapshots become ready, and what is deleted goes.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "kube/api.h"

namespace godwit::apiserver {

class Simulator {
 public:
  // Follows everything of Godwit's in all namespaces until it is destroyed. `api` must outlive it.
  explicit Simulator(kube::Api& api);
  ~Simulator();

  // Jobs wait for finish() instead of succeeding at once.
  void hold(bool on) { held_ = on; }
  // Ends the Job as its mover would: a pod with a result, then the Job's own status.
  Result<void> finish(const Json& job, bool success = true);

 private:
  void follow(const kube::ResourceType& type, const std::string& labels, const std::function<void(const Json&)>& act);
  void later(std::function<void()> act);
  void play(const kube::ResourceType& type, const Json& object);
  void release(const kube::ResourceType& type, const Json& object);  // takes finalizers away

  kube::Api& api_;
  std::atomic<bool> held_ = false;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> work_;
  std::vector<std::jthread> threads_;
};

}  // namespace godwit::apiserver
