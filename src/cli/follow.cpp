#include "cli/follow.h"

#include <fmt/core.h>

namespace godwit::cli {

namespace {

using namespace std::chrono_literals;
constexpr auto kTick = 250ms;

// The next version of the object into `object`; false when nothing came within a tick.
Result<bool> nextVersion(kube::Watch& watch, Json& object) {
  GODWIT_ASSIGN(auto event, watch.next(kTick));
  if (!event || event->type == kube::WatchEvent::Type::Bookmark) return false;
  object = event->type == kube::WatchEvent::Type::Deleted ? Json() : std::move(event->object);
  return true;
}

}  // namespace

Result<Json> follow(kube::Api& api, const kube::ResourceType& type, const kube::NamespacedName& key,
                    const Following& how) {
  const SystemClock clock;
  const auto deadline = clock.monotonic() + how.timeout;
  kube::WatchOptions options;
  options.ns = key.ns;
  options.fieldSelector = "metadata.name=" + key.name;
  GODWIT_ASSIGN(auto watch, api.watch(type, options));
  for (Json object;;) {
    if (how.stop.stop_requested()) return Error{Errc::Cancelled, "stopped"};
    auto came = nextVersion(*watch, object);
    if (!came && !came.error().retryable() && !came.is(Errc::Gone)) return std::move(came.error());
    if (!came) {  // the stream broke: a new watch begins with what exists
      GODWIT_ASSIGN(watch, api.watch(type, options));
      continue;
    }
    if (*came && object.is_object() && how.ready(object)) return object;
    if (how.tick && object.is_object()) how.tick(object);
    if (clock.monotonic() < deadline) continue;
    const auto obstacle = how.obstacle && object.is_object() ? how.obstacle(object) : "";
    return Error{Errc::Timeout, fmt::format("{} {}: not as awaited after {} s{}{}", type.kind, key.str(),
                                            std::chrono::ceil<std::chrono::seconds>(how.timeout).count(),
                                            obstacle.empty() ? "" : "; ", obstacle)};
  }
}

}  // namespace godwit::cli
