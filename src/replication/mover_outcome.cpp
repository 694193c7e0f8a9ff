// What a mover said, as status shows it: its own summary or error, then the end of its log.
#include "api/mover_result.h"
#include "api/names.h"
#include "replication/steps.h"

namespace godwit::replication {

namespace {

constexpr int kTailLines = 20;
constexpr std::int64_t kTailBytes = 8192;

// The pod's end may be known to the server before our watch tells us.
View<api::Pod>::Ptr endedPod(Pass& pass) {
  if (!pass.world.job || (pass.world.pod && pass.world.pod->terminated)) return pass.world.pod;
  const auto& meta = pass.object.meta;
  const auto selector = fmt::format("app.kubernetes.io/name={},{}={}", api::podNameLabel(pass.object.role, meta.name),
                                    kComponentLabel, kComponentValue);
  const auto pods = pass.doors.api.list(kube::resources::kPods, {.ns = meta.ns, .labelSelector = selector});
  if (!pods) return pass.world.pod;
  View<api::Pod>::Ptr youngest = pass.world.pod;
  for (const auto& item : pods->items) {
    auto pod = std::make_shared<const api::Pod>(api::podFromJson(item));
    if (!ownedBy(pod->meta, pass.world.job->meta)) continue;
    if (!youngest || pod->meta.creationTimestamp >= youngest->meta.creationTimestamp) youngest = std::move(pod);
  }
  return youngest;
}

std::string headline(const api::Pod& pod, bool successful) {
  const auto result = api::decodeMoverResult(pod.terminationMessage);
  if (successful) return result.ok() ? api::summary(*result) : "";
  if (result.ok() && !result->error.empty()) return result->error;
  return fmt::format("the mover ended with exit code {}", pod.exitCode);
}

bool notPointInTime(const api::ObjectMeta& meta) {
  return meta.annotation(kPointInTimeAnnotation) == "false";
}

}  // namespace

std::string remarks(const Pass& pass) {
  const auto& world = pass.world;
  std::string out = pass.doors.views.skew.remark();
  const auto add = [&](const char* remark) { out += (out.empty() ? "" : "; ") + std::string(remark); };
  if ((world.made && notPointInTime(world.made->meta)) || (world.copy && notPointInTime(world.copy->meta)) ||
      (world.image && notPointInTime(world.image->meta))) {
    add("not point-in-time: files changed while they were copied");
  }
  if (unprivileged(world)) add("ownership is not kept: the namespace asks for unprivileged movers");
  return out;
}

api::MoverStatus moverOutcome(Pass& pass, bool successful) {
  api::MoverStatus out{successful ? "Successful" : "Failed", ""};
  const auto pod = endedPod(pass);
  if (!pod) {
    if (!successful && pass.world.job) out.logs = pass.world.job->failureMessage;
    return out;
  }
  out.logs = headline(*pod, successful);
  if (successful && !out.logs.empty()) return out;  // the log says no more than the mover's own summary
  const auto tail =
      pass.doors.api.logs(pod->meta.key(), {.container = "rsync", .tailLines = kTailLines, .limitBytes = kTailBytes});
  const auto refused = tail.is(Errc::Forbidden) ? "its log cannot be read: " + tail.error().message : "";
  const auto more = tail ? *tail : refused;
  if (more.empty()) return out;
  if (!out.logs.empty()) out.logs += "\n";
  out.logs += more;
  while (!out.logs.empty() && out.logs.back() == '\n') out.logs.pop_back();
  return out;
}

}  // namespace godwit::replication
