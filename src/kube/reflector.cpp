#include <fmt/core.h>

#include <atomic>
#include <charconv>
#include <mutex>
#include <variant>

#include "kube/cache.h"
#include "kube/work_queue.h"

namespace godwit::kube {

namespace {

constexpr int kPageSize = 500;

struct Empty {};
struct Listing {
  std::string continueToken;
};
struct Listed {
  std::string resourceVersion;
};
struct Watching {
  std::shared_ptr<Watch> watch;  // shared with cancel(), which may come while step() waits on it
  std::string resourceVersion;
};
struct Resuming {
  std::string resourceVersion;
};
using Any = std::variant<Empty, Listing, Listed, Watching, Resuming>;  // in the order of Phase

// Servers promise an opaque string; all of them send a growing number, which lets us see replays.
std::optional<std::uint64_t> versionNumber(const std::string& text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return out;
}

bool isReplay(const std::string& seen, const std::string& version) {
  const auto before = versionNumber(seen), now = versionNumber(version);
  return before && now && *now <= *before;
}

// What a broken connection or a busy server says: the position in the stream is still good.
bool keepsPosition(Errc code) {
  return code == Errc::Unavailable || code == Errc::TooManyRequests || code == Errc::Io;
}

}  // namespace

struct Reflector::State {
  State(Api& a, const ResourceType& t, WatchOptions s, Sink& k) : api(a), type(t), scope(std::move(s)), sink(k) {}

  Result<Moved> from(const Empty&, std::chrono::milliseconds) { return listPage({}); }
  Result<Moved> from(const Listing& here, std::chrono::milliseconds) { return listPage(here.continueToken); }
  Result<Moved> from(const Listed& here, std::chrono::milliseconds) { return open(here.resourceVersion); }
  Result<Moved> from(const Resuming& here, std::chrono::milliseconds) { return open(here.resourceVersion); }
  Result<Moved> from(Watching& here, std::chrono::milliseconds timeout);

  Result<Moved> listPage(const std::string& continueToken);
  Result<Moved> open(const std::string& resourceVersion);
  Result<Moved> take(Watching& here, const WatchEvent& event);
  Result<Moved> become(Any next);
  Error about(const char* what, const Error& error) const;

  Api& api;
  const ResourceType& type;
  const WatchOptions scope;
  Sink& sink;
  std::mutex mutex;  // guards the exchange of `at` against cancel()
  Any at = Empty{};
  std::atomic<bool> synced = false;
  std::atomic<bool> cancelled = false;
};

// Any error but Gone leaves the pages that came in place: the same page is asked for again.
Result<Reflector::Moved> Reflector::State::listPage(const std::string& continueToken) {
  const ListOptions options{scope.ns, scope.labelSelector, scope.fieldSelector, kPageSize, continueToken};
  auto page = api.list(type, options);
  if (page.is(Errc::Gone) && std::holds_alternative<Listing>(at)) GODWIT_TRY(become(Empty{}));
  if (!page) return about("list", page.error());
  if (continueToken.empty()) sink.begin();
  sink.page(page->items);
  if (!page->continueToken.empty()) return become(Listing{std::move(page->continueToken)});
  if (std::holds_alternative<Empty>(at)) GODWIT_TRY(become(Listing{}));
  sink.finish(page->resourceVersion);
  synced = true;
  return become(Listed{std::move(page->resourceVersion)});
}

Result<Reflector::Moved> Reflector::State::open(const std::string& resourceVersion) {
  WatchOptions options = scope;
  options.resourceVersion = resourceVersion;
  auto watch = api.watch(type, options);
  if (watch) return become(Watching{std::move(*watch), resourceVersion});
  const Error error = about("watch", watch.error());
  if (!keepsPosition(error.code) && error.code != Errc::Cancelled) GODWIT_TRY(become(Empty{}));
  return error;
}

Result<Reflector::Moved> Reflector::State::from(Watching& here, std::chrono::milliseconds timeout) {
  auto event = here.watch->next(timeout);
  if (event) return *event ? take(here, **event) : Result<Moved>(Moved::Idle);
  const Error error = about("watch", event.error());
  if (error.code == Errc::Cancelled && cancelled) return error;
  if (keepsPosition(error.code) || error.code == Errc::Timeout || error.code == Errc::Cancelled) {
    GODWIT_TRY(become(Resuming{here.resourceVersion}));
  } else {
    GODWIT_TRY(become(Empty{}));
  }
  return error;
}

Result<Reflector::Moved> Reflector::State::take(Watching& here, const WatchEvent& event) {
  auto version = text(event.object, "metadata", "resourceVersion");
  if (version.empty() || isReplay(here.resourceVersion, version)) return Moved::Done;
  if (event.type == WatchEvent::Type::Deleted) {
    sink.erase(event.object);
  } else if (event.type != WatchEvent::Type::Bookmark) {
    sink.upsert(event.object);
  }
  here.resourceVersion = std::move(version);
  return Moved::Done;
}

// The one place where the state changes, and the table is law.
Result<Reflector::Moved> Reflector::State::become(Any next) {
  const auto before = static_cast<Phase>(at.index()), after = static_cast<Phase>(next.index());
  if (!mayFollow(before, after)) {
    return Error{Errc::Internal,
                 fmt::format("reflector of {}: no way from {} to {}", type.plural, at.index(), next.index())};
  }
  std::lock_guard lock(mutex);
  at = std::move(next);
  if (auto* watching = std::get_if<Watching>(&at); watching && cancelled) watching->watch->cancel();
  return Moved::Done;
}

Error Reflector::State::about(const char* what, const Error& error) const {
  return {error.code, fmt::format("{} {}: {}", what, type.plural, error.message)};
}

Reflector::Reflector(Api& api, const ResourceType& type, WatchOptions scope, Sink& sink)
    : state_(std::make_unique<State>(api, type, std::move(scope), sink)) {}
Reflector::~Reflector() = default;

bool Reflector::mayFollow(Phase from, Phase to) {
  switch (to) {
    case Phase::Empty:
      return from != Phase::Empty;
    case Phase::Listing:
      return from == Phase::Empty || from == Phase::Listing;
    case Phase::Listed:
      return from == Phase::Listing;
    case Phase::Watching:
      return from == Phase::Listed || from == Phase::Resuming;
    case Phase::Resuming:
      return from == Phase::Watching;
  }
  return false;
}

Result<Reflector::Moved> Reflector::step(std::chrono::milliseconds timeout) {
  if (state_->cancelled) return state_->about("follow", {Errc::Cancelled, "told to stop"});
  return std::visit([&](auto& here) { return state_->from(here, timeout); }, state_->at);
}

bool Reflector::synced() const {
  return state_->synced;
}
Reflector::Phase Reflector::phase() const {
  return static_cast<Phase>(state_->at.index());
}

void Reflector::cancel() {
  std::lock_guard lock(state_->mutex);
  state_->cancelled = true;
  if (auto* watching = std::get_if<Watching>(&state_->at)) watching->watch->cancel();
}

Duration reflectorBackOff(int failures, Random& random) {
  return BackOff{std::chrono::milliseconds(100), std::chrono::seconds(30), 0.2}.delay(failures, random);
}

}  // namespace godwit::kube
