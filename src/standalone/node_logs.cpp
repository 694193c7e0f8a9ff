// Pod logs: what a container wrote, and how much of it is kept.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/fd.h"
#include "standalone/node.h"
#include "standalone/objects.h"

namespace godwit::standalone {

namespace {

std::string lastLines(std::string all, int lines) {
  if (lines <= 0) return {};
  auto at = all.size();
  if (at > 0 && all[at - 1] == '\n') --at;
  while (at > 0 && lines > 0) {
    const auto newline = all.rfind('\n', at - 1);
    if (newline == std::string::npos) return all;
    at = newline;
    --lines;
  }
  return lines > 0 ? all : all.substr(at + 1);
}

}  // namespace

Result<std::string> Node::logs(const kube::NamespacedName& pod, const kube::LogOptions& options) {
  constexpr std::size_t kMost = 64 << 20;
  GODWIT_ASSIGN(const auto object, cluster_.fresh(kube::resources::kPods, pod));
  if (!object) return Error{Errc::NotFound, fmt::format("pods \"{}\" not found", pod.name)};
  const auto dir = stateDirOf(uidOf(*object));
  auto current = readFile(dir + "/log", kMost);
  if (current.is(Errc::NotFound)) return std::string();
  GODWIT_TRY(current);
  auto older = readFile(dir + "/log.1", kMost);
  std::string all = older.ok() ? *older + *current : *std::move(current);
  if (options.tailLines) all = lastLines(std::move(all), *options.tailLines);
  if (options.limitBytes)
    all.resize(
        std::min<std::size_t>(all.size(), static_cast<std::size_t>(std::max<std::int64_t>(0, *options.limitBytes))));
  return all;
}

// The writer keeps its descriptor (opened for appending), so the file is copied aside and cut, not renamed.
void Node::rotateLogs() {
  if (options_.stateDir.empty()) return;
  for (const auto& [uid, container] : containers_) {
    const auto path = container.stateDir + "/log";
    struct stat st {};
    if (container.exit || ::stat(path.c_str(), &st) != 0 || st.st_size < options_.logLimit) continue;
    std::error_code failed;
    std::filesystem::copy_file(path, path + ".1", std::filesystem::copy_options::overwrite_existing, failed);
    if (!failed) (void)!::truncate(path.c_str(), 0);
  }
}

}  // namespace godwit::standalone
