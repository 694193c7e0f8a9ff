// Threads with a stack of a known size. Only touched pages cost memory, but a small reservation keeps many threads
// cheap under strict overcommit and memory cgroups.
#pragma once
#include <pthread.h>

#include <functional>
#include <utility>

#include "base/result.h"

namespace godwit {

class Thread {
 public:
  static constexpr std::size_t kSmallStack = 256 << 10;

  // Unavailable when the system has no more threads.
  static Result<Thread> start(std::function<void()> body, std::size_t stackBytes = kSmallStack);
  Thread(Thread&& other) noexcept : id_(other.id_), owned_(std::exchange(other.owned_, false)) {}
  Thread& operator=(Thread&& other) noexcept;
  ~Thread() { join(); }

  void join();  // waits for its end; harmless when already joined

 private:
  explicit Thread(pthread_t id) : id_(id), owned_(true) {}
  pthread_t id_;
  bool owned_;
};

}  // namespace godwit
