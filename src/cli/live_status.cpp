#include "cli/live_status.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "cli/progress.h"

namespace godwit::cli {

namespace {

using namespace std::chrono_literals;

std::string render(const Result<std::vector<StatusRow>>& rows, bool withNamespace) {
  if (!rows) return "waiting for the server: " + rows.error().message + "\n";
  return rows->empty() ? "No replications found.\n" : statusTable(*rows, withNamespace);
}

}  // namespace

Result<std::vector<StatusRow>> statusRows(kube::Api& api, const std::string& ns) {
  const auto now = SystemClock().now();
  std::vector<StatusRow> rows;
  for (const auto role : {api::Role::Source, api::Role::Destination}) {
    GODWIT_ASSIGN(const auto list, api.list(kube::resources::of(role), {.ns = ns}));
    for (const auto& item : list.items) {
      const auto object = api::replicationFromJson(item);
      if (object)
        rows.push_back(statusRow(*object, now, shortProgress(moverProgress(api, *object))));
      else
        rows.push_back({kube::keyOf(item).ns, kube::keyOf(item).name, api::name(role), "Error", "", "", "", "",
                        object.error().message});
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const StatusRow& a, const StatusRow& b) {
    return std::tie(a.ns, a.name) < std::tie(b.ns, b.name);
  });
  return rows;
}

namespace {

// Both kinds' changes since it was opened.
class Changes {
 public:
  static Result<Changes> open(kube::Api& api, const std::string& ns) {
    Changes changes;
    for (const auto role : {api::Role::Source, api::Role::Destination}) {
      const auto& type = kube::resources::of(role);
      GODWIT_ASSIGN(const auto list, api.list(type, {.ns = ns, .limit = 1}));
      GODWIT_ASSIGN(auto watch, api.watch(type, {.ns = ns, .resourceVersion = list.resourceVersion}));
      changes.watches_.push_back(std::move(watch));
    }
    return changes;
  }

  // True after a change; waits at most a second for one. An error: open anew.
  Result<bool> any() {
    bool changed = false;
    auto patience = 1000ms;
    for (const auto& watch : watches_) {
      for (;;) {
        GODWIT_ASSIGN(const auto event, watch->next(changed ? 0ms : std::exchange(patience, 0ms)));
        if (!event) break;
        changed = changed || event->type != kube::WatchEvent::Type::Bookmark;
      }
    }
    return changed;
  }

 private:
  std::vector<std::unique_ptr<kube::Watch>> watches_;
};

}  // namespace

Result<void> watchStatus(kube::Api& api, const std::string& ns, Terminal& terminal, std::stop_token stop) {
  std::optional<Changes> changes;
  bool changed = true;
  while (!stop.stop_requested()) {
    if (!changes) {
      GODWIT_ASSIGN(changes, Changes::open(api, ns));
      changed = true;
    }
    const auto text = render(statusRows(api, ns), ns.empty());
    if (terminal.live())
      terminal.draw(text);
    else if (changed)
      terminal.line(text);
    auto any = changes->any();
    changed = any && *any;
    if (!any) changes.reset();
  }
  return {};
}

}  // namespace godwit::cli
