#include "mover/report.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "mover/temp_dir.h"

namespace godwit::mover {

namespace {

// A file somebody prepared for us is written in place: it may be a mount point, and its owner holds it open.
Result<void> overwrite(const std::string& path, std::string_view text, int create) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | create, 0644));
  if (!fd.valid()) return errnoError(path);
  return writeAll(fd.get(), text);
}

}  // namespace

void report(const api::MoverResult& result, std::string_view story) {
  if (result.ok)
    log::info("mover", "{}", story);
  else
    log::error("mover", "{}", result.error);
  const auto named = environment(api::mover_env::kTerminationLog);
  const auto path = named.empty() ? std::string("/dev/termination-log") : named;
  if (named.empty() && ::access(path.c_str(), F_OK) != 0) return;
  const auto written = overwrite(path, api::encode(result), named.empty() ? 0 : O_CREAT);
  if (!written.ok()) log::warn("mover", "the result could not be written: {}", written.error().message);
}

void publishProgress(const Json& progress) {
  const auto path = environment(api::mover_env::kProgress);
  if (path.empty()) return;
  // In place, because the file may be a mount point. One write, then the cut: a reader sees at worst an old line's tail
  // after the newline, never half a new one.
  const auto line = dumpJson(progress) + "\n";
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (fd.valid() && writeAll(fd.get(), line).ok() && ::ftruncate(fd.get(), static_cast<off_t>(line.size())) == 0)
    return;
  log::debug("mover", "progress could not be written to {}", path);
}

}  // namespace godwit::mover
