// What the controller follows: kinds, and which of them it must know before it may act on an object.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kube/cache.h"

namespace godwit::replication {

// One kind that is followed, of one namespace or of all.
struct Feed {
  Feed(kube::Api& api, const kube::ResourceType& of, std::string where, kube::WatchOptions scope,
       std::unique_ptr<kube::Sink> into)
      : type(of), ns(std::move(where)), sink(std::move(into)), reflector(api, of, std::move(scope), *sink) {}
  const kube::ResourceType& type;
  const std::string ns;  // empty: all
  const std::unique_ptr<kube::Sink> sink;
  kube::Reflector reflector;
  std::atomic<bool> absent{false};     // the cluster does not know this kind; nothing to wait for
  std::atomic<bool> forbidden{false};  // we may not read it
  bool away = false;                   // the server was not there
  int failures = 0;
  Duration retryAt{0};  // monotonic

  bool ready() const { return absent || reflector.synced(); }
  bool essential() const { return type.group == api::kGroup; }
  // Why nothing can be known of this kind; empty: all is well. Snapshots are optional in a cluster.
  std::string trouble() {
    if (ready() && !(absent && essential())) return {};
    std::lock_guard lock(mutex);
    return lastError.empty() ? fmt::format("listing {}", type.plural) : lastError;
  }
  // What a failed step means: how long to wait before the next.
  Duration failed(const Error& error, Random& random);
  // True: the server is back.
  bool succeeded() {
    failures = 0;
    absent = forbidden = false;
    return std::exchange(away, false);
  }

 private:
  std::string what() const { return ns.empty() ? std::string(type.plural) : fmt::format("{} of {}", type.plural, ns); }
  std::mutex mutex;
  std::string lastError;
};

// What must be known to work on the objects of one namespace; of all when they are followed together. What cannot be
// read in one says nothing of the others.
struct Scope {
  explicit Scope(std::string which) : ns(std::move(which)) {}
  const std::string ns;  // empty: all
  std::vector<Feed*> feeds;
  std::atomic<bool> waiting{false};  // something, because it was not workable
  std::atomic<bool> refused{false};  // something, because a kind could not be read

  bool ready() const {
    return std::all_of(feeds.begin(), feeds.end(), [](const Feed* feed) { return feed->ready(); });
  }
  // The objects themselves can be read, and of everything else is known what there is or that we may not know.
  bool workable() const {
    return std::all_of(feeds.begin(), feeds.end(),
                       [](const Feed* feed) { return feed->ready() || (feed->forbidden && !feed->essential()); });
  }
  std::string troubles() const {
    std::string out;
    for (auto* feed : feeds) {
      if (const auto trouble = feed->trouble(); !trouble.empty()) out += (out.empty() ? "" : "; ") + trouble;
    }
    return out;
  }
  // True: nothing can be done or said now, and who makes it workable wakes everybody. Both also just before the last
  // kind becomes readable: then it is that reader who wakes them.
  bool holds() {
    if (workable()) return false;
    waiting = true;
    return !workable();
  }
  bool blocked() {
    if (ready()) return false;
    refused = true;
    return !ready();
  }
  // True: what was held or refused can be looked at again.
  bool opened() {
    const bool held = waiting && workable() && waiting.exchange(false);
    const bool blocked = refused && ready() && refused.exchange(false);
    return held || blocked;
  }
};

}  // namespace godwit::replication
