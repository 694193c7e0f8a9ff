// The controllers of this room as small steps, and the one thread that drives them in production.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "standalone/cluster.h"
#include "standalone/volumes.h"

namespace godwit::standalone {

class Controller {
 public:
  virtual ~Controller() = default;
  virtual bool step() = 0;  // does what is doable now without waiting; true if it changed anything
  virtual std::optional<Duration> nextDelay() const { return std::nullopt; }  // until something is due by the clock
  virtual void addFds(std::vector<int>&) const {}  // descriptors whose readability is a reason to step
};

// Per-key back-off for what failed: 1 s doubling to 1 min.
class Backoffs {
 public:
  explicit Backoffs(const Clock& clock) : clock_(clock) {}
  bool ready(const std::string& key) const;
  void failed(const std::string& key);
  void succeeded(const std::string& key) { entries_.erase(key); }
  // Reconciles `object` unless it is backing off, and notes how that went; true if it changed anything. NotFound and
  // Conflict mean that the mirror is late: the next event asks again.
  bool attempt(const Json& object, const std::function<Result<bool>()>& reconcile);
  std::optional<Duration> nextDelay() const;

 private:
  struct Entry {
    Duration due, delay;
  };
  const Clock& clock_;
  std::map<std::string, Entry> entries_;
};

// Work on volumes that may take minutes, by key: on a thread of its own in production, at once in the simulation.
class Work {
 public:
  using Task = std::function<Result<PointInTime>()>;
  // `done` is called from the worker; none: tasks run inside ask().
  explicit Work(std::function<void()> done = {}) : done_(std::move(done)) {}
  ~Work();
  // The first call starts the task. nullopt while it runs; then its result, once.
  std::optional<Result<PointInTime>> ask(const std::string& key, Task task);
  bool busy(const std::string& key) const;  // started and its result not yet taken

 private:
  struct Slot {
    std::optional<Result<PointInTime>> result;
    std::jthread thread;
  };
  std::function<void()> done_;
  mutable std::mutex mutex_;
  std::map<std::string, Slot> slots_;
};

// An eventfd: any thread wakes the loop with it.
class Waker {
 public:
  static Result<std::unique_ptr<Waker>> create();
  void wake() const;
  void drain() const;
  int fd() const { return fd_.get(); }

 private:
  explicit Waker(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

class Loop {
 public:
  Loop(Cluster& cluster, Waker& waker) : cluster_(cluster), waker_(waker) {}
  void add(Controller& controller) { controllers_.push_back(&controller); }
  // Steps every controller after each change, descriptor or due time, on the calling thread, until `stop`. Containers
  // die with the thread that started them: keep this one alive.
  void run(std::stop_token stop);

 private:
  void wait();
  Cluster& cluster_;
  Waker& waker_;
  std::vector<Controller*> controllers_;
};

}  // namespace godwit::standalone
