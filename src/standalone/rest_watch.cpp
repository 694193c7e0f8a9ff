// Answers that go on: watches, and logs that are followed.
#include <fmt/core.h>

#include "standalone/rest_body.h"
#include "standalone/rest_options.h"
#include "standalone/rest_table.h"

namespace godwit::standalone {

namespace {

using kube::WatchEvent;
using std::chrono::milliseconds;

const char* nameOf(WatchEvent::Type type) {
  switch (type) {
    case WatchEvent::Type::Added:
      return "ADDED";
    case WatchEvent::Type::Modified:
      return "MODIFIED";
    case WatchEvent::Type::Deleted:
      return "DELETED";
    case WatchEvent::Type::Bookmark:
      break;
  }
  return "BOOKMARK";
}

std::string line(const char* type, const Json& object) {
  return dumpJson({{"type", type}, {"object", object}}) + "\n";
}

// The client's end of a stream: when it goes, whoever waits for events is woken.
void pump(http::ResponseWriter& out, const std::shared_ptr<kube::Watch>& watch, milliseconds limit,
          const std::function<std::string(const WatchEvent&)>& render) {
  const std::stop_callback gone(out.closed(), [watch] { watch->cancel(); });
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    auto event = watch->next(left);
    if (event.is(Errc::Gone)) out.write(line("ERROR", statusOf(event.error())));
    if (!event.ok()) return;
    if (*event && !out.write(render(**event))) return;
  }
}

}  // namespace

RestAnswer watchMany(const RestContext& c) {
  const auto view = viewOf(c.request);
  if (!view.ok()) return errorReply(view.error(), c.target, 406);
  const auto options = watchOptions(c);
  if (!options.ok()) return errorReply(options.error());
  // Clients ask for 5 to 10 minutes; without a wish, which 0 is too, half an hour, as a server's own limit.
  auto seconds = wholeParam(c.request, "timeoutSeconds", 0);
  if (!seconds.ok()) return errorReply(seconds.error(), c.target, 400);
  if (*seconds == 0) *seconds = 1800;
  auto opened = c.store.watch(*c.target.type, *options);
  if (opened.is(Errc::Gone)) {
    return {RestReply{},
            [status = statusOf(opened.error())](http::ResponseWriter& out) { out.write(line("ERROR", status)); }};
  }
  if (!opened.ok()) return errorReply(opened.error(), c.target, opened.is(Errc::Invalid) ? 400 : 0);
  std::shared_ptr<kube::Watch> watch = std::move(*opened);
  const auto render = [&type = *c.target.type, view = *view, &clock = c.clock](const WatchEvent& event) {
    if (!view.table) return line(nameOf(event.type), event.object);
    std::vector<Json> rows;
    if (event.type != WatchEvent::Type::Bookmark) rows.push_back(event.object);
    const Json meta{{"resourceVersion", text(event.object, "metadata", "resourceVersion")}};
    return line(nameOf(event.type), table(type, rows, meta, view.include, clock.now()));
  };
  return {RestReply{}, [watch, render, limit = milliseconds(*seconds * 1000)](http::ResponseWriter& out) {
            pump(out, watch, limit, render);
          }};
}

namespace {

struct LogRequest {
  kube::LogOptions options;
  bool follow = false;
};

Result<LogRequest> logRequest(const http::Request& r) {
  LogRequest out{{param(r, "container"), {}, {}}, flag(r, "follow")};
  for (const char* unknown : {"sinceSeconds", "sinceTime"}) {
    if (!param(r, unknown).empty())
      return Error{Errc::Invalid, fmt::format("{}: log lines carry no times here; use tailLines", unknown)};
  }
  if (flag(r, "timestamps")) return Error{Errc::Invalid, "timestamps: log lines carry no times here"};
  if (flag(r, "previous"))
    return Error{Errc::Invalid, "previous: containers are not restarted here; look at the Job's earlier pods"};
  GODWIT_ASSIGN(const auto tail, wholeParam(r, "tailLines", -1));
  GODWIT_ASSIGN(const auto bytes, wholeParam(r, "limitBytes", -1));
  if (tail >= 0) out.options.tailLines = static_cast<int>(tail);
  if (bytes >= 0) out.options.limitBytes = bytes;
  return out;
}

bool isOver(const Result<Json>& pod) {
  const auto phase = pod.ok() ? text(*pod, "status", "phase") : std::string("Failed");
  return phase == "Succeeded" || phase == "Failed";
}

// A node tells of new phases, not of new lines: between them the log is looked at in steps that a reader does not
// notice.
constexpr milliseconds kLogStep{200};

void follow(Store& store, const kube::NamespacedName& pod, const std::shared_ptr<kube::Watch>& watch,
            kube::LogOptions options, std::size_t seen, http::ResponseWriter& out) {
  const std::stop_callback gone(out.closed(), [watch] { watch->cancel(); });
  options.tailLines.reset();
  for (bool over = false; !over;) {
    const auto event = watch->next(kLogStep);
    if (!event.ok() && !event.is(Errc::Gone)) return;
    over = isOver(store.get(kube::resources::kPods, pod)) || event.is(Errc::Gone);
    const auto all = store.logs(pod, options);
    if (!all.ok()) continue;
    if (all->size() < seen) seen = 0;  // rotated
    if (all->size() > seen && !out.write(std::string_view(*all).substr(seen))) return;
    seen = all->size();
  }
}

}  // namespace

RestAnswer readLog(const RestContext& c) {
  const auto request = logRequest(c.request);
  if (!request.ok()) return errorReply(request.error(), c.target, 400);
  const auto shownLog = c.store.logs(c.key(), request->options);
  if (!shownLog.ok()) return errorReply(shownLog.error(), c.target, shownLog.is(Errc::Invalid) ? 400 : 0);
  RestReply reply{200, *shownLog, "text/plain", {}};
  if (!request->follow || request->options.limitBytes) return reply;
  auto opened = c.store.watch(kube::resources::kPods,
                              {c.target.ns, "", "metadata.name=" + c.target.name, c.store.resourceVersion(), false});
  kube::LogOptions everything = request->options;
  everything.tailLines.reset();
  const auto soFar = c.store.logs(c.key(), everything);
  if (!opened.ok() || !soFar.ok()) return reply;
  std::shared_ptr<kube::Watch> watch = std::move(*opened);
  return {RestReply{200, {}, "text/plain", {}}, [&store = c.store, pod = c.key(), watch, options = request->options,
                                                 first = *shownLog, seen = soFar->size()](http::ResponseWriter& out) {
            if (first.empty() || out.write(first)) follow(store, pod, watch, options, seen, out);
          }};
}

}  // namespace godwit::standalone
