#include "cli/progress.h"

#include <fmt/core.h>

#include <cinttypes>
#include <cstdio>

#include "api/names.h"
#include "cli/terminal.h"

namespace godwit::cli {

std::optional<MoverProgress> parseMoverProgress(std::string_view logLine) {
  constexpr std::string_view kBefore = "mover: ";
  const auto at = logLine.find(kBefore);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string message(logLine.substr(at + kBefore.size()));
  MoverProgress p;
  std::int64_t toCheck = 0, known = 0;
  const int read = std::sscanf(message.c_str(),
                               "%3d%% of what is known, %18" SCNd64 " bytes, %18" SCNd64 " files sent, %18" SCNd64
                               " of %18" SCNd64 " to check, %18" SCNd64 " bytes/s, %18" SCNd64 " s left",
                               &p.percent, &p.bytes, &p.files, &toCheck, &known, &p.bytesPerSecond, &p.secondsLeft);
  return read == 7 ? std::optional(p) : std::nullopt;
}

std::optional<MoverProgress> moverProgress(kube::Api& api, const api::Replication& object) {
  if (!object.status.lastSyncStartTime) return std::nullopt;
  const auto selector = "app.kubernetes.io/name=" + api::podNameLabel(object.role, object.meta.name);
  const auto pods = api.list(kube::resources::kPods, {.ns = object.meta.ns, .labelSelector = selector});
  if (!pods) return std::nullopt;
  for (const auto& item : pods->items) {
    if (text(item, "status", "phase") != "Running") continue;
    const auto logs = api.logs(kube::keyOf(item), {.tailLines = 1});
    if (logs) return parseMoverProgress(*logs);
  }
  return std::nullopt;
}

std::string shortProgress(const std::optional<MoverProgress>& progress) {
  return progress ? fmt::format("{}%", progress->percent) : "";
}

std::string longProgress(const MoverProgress& progress) {
  return fmt::format("{}  {}, {} files, {}/s, {} s left", progressBar(progress.percent / 100.0),
                     humanBytes(progress.bytes), grouped(progress.files), humanBytes(progress.bytesPerSecond),
                     progress.secondsLeft);
}

}  // namespace godwit::cli
