// An Api that plays a script: each call takes the next prepared answer of its kind and notes what was asked.
#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>

#include "kube/api.h"

namespace godwit::kube::testing {

struct ScriptedWatch final : Watch {
  using Step = Result<std::optional<WatchEvent>>;
  explicit ScriptedWatch(std::deque<Step> script) : steps(std::move(script)) {}

  Step next(std::chrono::milliseconds timeout) override {
    std::unique_lock lock(mutex);
    if (cancelled) return Error{Errc::Cancelled, "cancelled"};
    if (!steps.empty()) {
      Step step = std::move(steps.front());
      steps.pop_front();
      return step;
    }
    wake.wait_for(lock, timeout, [&] { return cancelled; });
    if (cancelled) return Error{Errc::Cancelled, "cancelled"};
    return std::optional<WatchEvent>();
  }
  void cancel() override {
    std::lock_guard lock(mutex);
    cancelled = true;
    wake.notify_all();
  }

  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Step> steps;
  bool cancelled = false;
};

struct ScriptedApi final : Api {
  std::deque<Result<List>> lists;
  std::deque<Result<std::deque<ScriptedWatch::Step>>> watches;
  std::deque<Result<Json>> writes;  // empty: writes succeed and echo
  std::vector<ListOptions> listed;
  std::vector<WatchOptions> watched;
  std::vector<Json> created, patched;

  Result<List> list(const ResourceType&, const ListOptions& options) override {
    listed.push_back(options);
    return pop(lists);
  }
  Result<std::unique_ptr<Watch>> watch(const ResourceType&, const WatchOptions& options) override {
    watched.push_back(options);
    GODWIT_ASSIGN(auto script, pop(watches));
    return std::unique_ptr<Watch>(std::make_unique<ScriptedWatch>(std::move(script)));
  }
  Result<Json> create(const ResourceType&, const Json& object) override { return write(created, object); }
  Result<Json> patch(const ResourceType&, const NamespacedName&, const Json& change, Subresource) override {
    return write(patched, change);
  }
  Result<Json> get(const ResourceType&, const NamespacedName&) override { return unscripted(); }
  Result<void> remove(const ResourceType&, const NamespacedName&, const DeleteOptions&) override {
    return unscripted();
  }
  Result<std::string> logs(const NamespacedName&, const LogOptions&) override { return unscripted(); }

 private:
  static Error unscripted() { return {Errc::Internal, "the script has no answer"}; }
  template <class T>
  static Result<T> pop(std::deque<Result<T>>& script) {
    if (script.empty()) return unscripted();
    Result<T> answer = std::move(script.front());
    script.pop_front();
    return answer;
  }
  Result<Json> write(std::vector<Json>& notes, const Json& value) {
    notes.push_back(value);
    return writes.empty() ? Result<Json>(value) : pop(writes);
  }
};

}  // namespace godwit::kube::testing
