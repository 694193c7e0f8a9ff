#include "kube/work_queue.h"

#include <algorithm>
#include <cmath>

namespace godwit::kube {

Duration BackOff::delay(int failures, Random& random) const {
  const double doubled = static_cast<double>(first.count()) * std::exp2(std::clamp(failures - 1, 0, 60));
  const double base = std::min(doubled, static_cast<double>(most.count()));
  return Duration(static_cast<Duration::rep>(base * (1.0 + jitter * (2.0 * random.unit() - 1.0))));
}

WorkQueue::WorkQueue(const Clock& clock, Random& random, BackOff backOff)
    : clock_(clock), random_(random), backOff_(backOff) {}

void WorkQueue::add(const std::string& key) {
  std::lock_guard lock(mutex_);
  queueLocked(key);
}

void WorkQueue::addAfter(const std::string& key, Duration delay) {
  std::lock_guard lock(mutex_);
  if (delay <= Duration::zero()) return queueLocked(key);
  delayLocked(key, clock_.monotonic() + delay);
}

void WorkQueue::addRateLimited(const std::string& key) {
  std::lock_guard lock(mutex_);
  delayLocked(key, clock_.monotonic() + backOff_.delay(++failures_[key], random_));
}

void WorkQueue::forget(const std::string& key) {
  std::lock_guard lock(mutex_);
  failures_.erase(key);
}

void WorkQueue::retryFailed() {
  std::lock_guard lock(mutex_);
  const Duration now = clock_.monotonic();
  for (const auto& [key, count] : failures_) {
    if (due_.contains(key)) delayLocked(key, now);
  }
  failures_.clear();
}

std::optional<std::string> WorkQueue::get() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (auto key = takeLocked()) return key;
    if (stopped_) return std::nullopt;
    if (const auto delay = nextDelayLocked()) {
      wake_.wait_for(lock, *delay);
    } else {
      wake_.wait(lock);
    }
  }
}

std::optional<std::string> WorkQueue::tryGet() {
  std::lock_guard lock(mutex_);
  return takeLocked();
}

void WorkQueue::done(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (working_.erase(key) == 0 || !wanted_.contains(key) || stopped_) return;
  ready_.push_back(key);
  wake_.notify_one();
}

std::optional<Duration> WorkQueue::nextDelay() const {
  std::lock_guard lock(mutex_);
  return nextDelayLocked();
}

std::size_t WorkQueue::depth() const {
  std::lock_guard lock(mutex_);
  return ready_.size();
}

void WorkQueue::shutDown() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  ready_.clear();
  wanted_.clear();
  due_.clear();
  order_.clear();
  wake_.notify_all();
}

std::optional<std::string> WorkQueue::takeLocked() {
  promoteLocked();
  if (ready_.empty()) return std::nullopt;
  std::string key = std::move(ready_.front());
  ready_.pop_front();
  wanted_.erase(key);
  working_.insert(key);
  return key;
}

void WorkQueue::queueLocked(const std::string& key) {
  if (stopped_ || !wanted_.insert(key).second || working_.contains(key)) return;
  ready_.push_back(key);
  wake_.notify_one();
}

void WorkQueue::delayLocked(const std::string& key, Duration due) {
  if (stopped_) return;
  const auto [it, fresh] = due_.emplace(key, due);
  if (!fresh) {
    if (it->second <= due) return;
    order_.erase({it->second, key});
    it->second = due;
  }
  order_.emplace(due, key);
  wake_.notify_one();  // a waiter may have to wake earlier than it meant to
}

void WorkQueue::promoteLocked() {
  const Duration now = clock_.monotonic();
  while (!order_.empty() && order_.begin()->first <= now) {
    const std::string key = order_.begin()->second;
    order_.erase(order_.begin());
    due_.erase(key);
    queueLocked(key);
  }
}

std::optional<Duration> WorkQueue::nextDelayLocked() const {
  if (!ready_.empty()) return Duration::zero();
  if (order_.empty()) return std::nullopt;
  return std::max(Duration::zero(), order_.begin()->first - clock_.monotonic());
}

}  // namespace godwit::kube
