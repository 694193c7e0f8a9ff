#include "standalone/loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "standalone/objects.h"

namespace godwit::standalone {

bool Backoffs::ready(const std::string& key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() || it->second.due <= clock_.monotonic();
}

void Backoffs::failed(const std::string& key) {
  constexpr Duration kFirst = std::chrono::seconds(1), kMost = std::chrono::minutes(1);
  auto& entry = entries_[key];
  entry.delay = entry.delay == Duration::zero() ? kFirst : std::min(entry.delay * 2, kMost);
  entry.due = clock_.monotonic() + entry.delay;
}

bool Backoffs::attempt(const Json& object, const std::function<Result<bool>()>& reconcile) {
  const auto uid = uidOf(object);
  if (!ready(uid)) return false;
  const auto done = reconcile();
  if (done.ok()) {
    succeeded(uid);
    return *done;
  }
  if (!done.is(Errc::NotFound) && !done.is(Errc::Conflict)) {
    log::warn("standalone", "{} {}: {}", text(object, "kind"), kube::keyOf(object).str(), done.error().message);
    failed(uid);
  }
  return false;
}

std::optional<Duration> Backoffs::nextDelay() const {
  std::optional<Duration> out;
  const auto now = clock_.monotonic();
  for (const auto& [key, entry] : entries_) {
    if (entry.due > now) out = std::min(out.value_or(entry.due - now), entry.due - now);
  }
  return out;
}

Work::~Work() {
  std::map<std::string, Slot> slots;
  {
    std::lock_guard lock(mutex_);
    slots.swap(slots_);
  }
  for (auto& [key, slot] : slots) {
    if (slot.thread.joinable()) slot.thread.join();
  }
}

// What lacks in the pool or at the source is no news that a late mirror will bring: it is tried again after a while.
static Result<PointInTime> ofTheDisk(Result<PointInTime> result) {
  if (result.is(Errc::NotFound) || result.is(Errc::Conflict)) return Error{Errc::Io, result.error().message};
  return result;
}

std::optional<Result<PointInTime>> Work::ask(const std::string& key, Task task) {
  if (!done_) return ofTheDisk(task());
  std::unique_lock lock(mutex_);
  const auto [it, fresh] = slots_.try_emplace(key);
  if (fresh) {
    it->second.thread = std::jthread([this, key, task = std::move(task)] {
      auto result = ofTheDisk(task());
      {
        std::lock_guard inner(mutex_);
        const auto slot = slots_.find(key);
        if (slot != slots_.end()) slot->second.result = std::move(result);
      }
      done_();
    });
    return std::nullopt;
  }
  if (!it->second.result) return std::nullopt;
  auto node = slots_.extract(it);
  lock.unlock();
  node.mapped().thread.join();
  return std::move(node.mapped().result);
}

bool Work::busy(const std::string& key) const {
  std::lock_guard lock(mutex_);
  return slots_.contains(key);
}

Result<std::unique_ptr<Waker>> Waker::create() {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return errnoError("eventfd");
  return std::unique_ptr<Waker>(new Waker(std::move(fd)));
}

void Waker::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(fd_.get(), &one, sizeof one);
}

void Waker::drain() const {
  std::uint64_t count;
  [[maybe_unused]] const auto n = ::read(fd_.get(), &count, sizeof count);
}

void Loop::wait() {
  std::vector<int> fds{waker_.fd()};
  std::optional<Duration> delay;
  for (const auto* controller : controllers_) {
    controller->addFds(fds);
    if (const auto due = controller->nextDelay()) delay = std::min(delay.value_or(*due), *due);
  }
  std::vector<pollfd> polls;
  for (const int fd : fds) polls.push_back({fd, POLLIN, 0});
  using std::chrono::milliseconds;
  const auto timeout =
      delay ? std::clamp<std::int64_t>(std::chrono::ceil<milliseconds>(*delay).count(), 1, 3'600'000) : -1;
  (void)::poll(polls.data(), polls.size(), static_cast<int>(timeout));
  waker_.drain();
}

void Loop::run(std::stop_token stop) {
  std::jthread follower([&] { cluster_.run(stop, [&] { waker_.wake(); }); });
  const std::stop_callback wake(stop, [&] { waker_.wake(); });
  while (!stop.stop_requested()) {
    if (cluster_.synced()) {
      for (auto* controller : controllers_) controller->step();
    }
    wait();
  }
}

}  // namespace godwit::standalone
