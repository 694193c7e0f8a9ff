#include "base/thread.h"

#include <memory>

namespace godwit {

using Body = std::function<void()>;

static void* run(void* argument) {
  const std::unique_ptr<Body> body(static_cast<Body*>(argument));
  (*body)();
  return nullptr;
}

Result<Thread> Thread::start(Body body, std::size_t stackBytes) {
  pthread_attr_t attributes;
  if (const int err = pthread_attr_init(&attributes)) return errnoError("start a thread", err);
  int err = pthread_attr_setstacksize(&attributes, stackBytes);
  pthread_t id{};
  auto owned = std::make_unique<Body>(std::move(body));
  if (err == 0) err = pthread_create(&id, &attributes, run, owned.get());
  pthread_attr_destroy(&attributes);
  if (err != 0) return Error{Errc::Unavailable, errnoError("start a thread", err).message};
  owned.release();
  return Thread(id);
}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    join();
    id_ = other.id_;
    owned_ = std::exchange(other.owned_, false);
  }
  return *this;
}

void Thread::join() {
  if (std::exchange(owned_, false)) pthread_join(id_, nullptr);
}

}  // namespace godwit
