#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mount.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/data_dir.h"
#include "cli/live_status.h"
#include "cli/quickstart.h"
#include "cli/signals.h"

namespace godwit::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kMarker = "made-by-godwit-quickstart";

// A tour that was killed leaves its pool mounted.
void unmountBelow(const fs::path& dir) {
  std::ifstream mounts("/proc/self/mountinfo");
  std::vector<std::string> found;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string skip, point;
    fields >> skip >> skip >> skip >> skip >> point;
    if (point.rfind(dir.string() + "/", 0) == 0) found.push_back(point);
  }
  std::for_each(found.rbegin(), found.rend(), [](const auto& point) { ::umount2(point.c_str(), MNT_DETACH); });
}

// An empty directory with our mark in it. Whatever else is there was not made by us and stays.
Result<fs::path> freshDirectory(const fs::path& path) {
  std::error_code failed;
  const auto dir = fs::absolute(path, failed).lexically_normal();
  if (fs::exists(dir, failed)) {
    if (!fs::exists(dir / kMarker, failed) && !fs::is_empty(dir, failed)) {
      return Error{Errc::Forbidden, dir.string() + " holds files that no earlier quickstart made; give an empty --dir"};
    }
    GODWIT_TRY(DataDir::open(dir));  // refuses while another tour runs there
    unmountBelow(dir);
    fs::remove_all(dir, failed);
    if (failed) return errnoError("cannot empty " + dir.string(), failed.value());
  }
  GODWIT_TRY(DataDir::open(dir));
  GODWIT_TRY(writeFileAtomic(dir / kMarker, ""));
  return dir;
}

Result<UniqueFd> logToFile(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) return errnoError("cannot open " + path.string());
  log::configure({.fd = fd.get()});
  return fd;
}

int conduct(QuickstartOptions options) {
  const auto stop = StopSignal::install();
  if (!stop) return fail(stop.error());
  auto dir = freshDirectory(options.dir);
  if (!dir) return fail(dir.error());
  options.dir = *dir;
  const auto logFile = options.dir / "godwit.log";
  const auto log = logToFile(logFile);
  if (!log) return fail(log.error());

  Terminal terminal;
  terminal.line(fmt::format("Godwit {} in {}, log in godwit.log there", GODWIT_VERSION, options.dir.string()));
  auto godwit = Standalone::start({.dataDir = options.dir, .port = 0});
  if (!godwit) return fail(godwit.error());
  Tour tour(**godwit, options, terminal, stop->token());
  if (const auto done = tour.run(); !done) {
    terminal.draw("");
    if (done.is(Errc::Cancelled)) return kFailed;
    fail(done.error());
    return fail({Errc::Internal, "more in " + logFile.string()});
  }
  if (options.once) return kDone;
  terminal.line(
      fmt::format("\nIt goes on every minute. In another terminal:\n  export KUBECONFIG={}\n"
                  "  kubectl get replicationsources,replicationdestinations -A\n  build/release/godwit status -A -w\n"
                  "Ctrl-C ends it.\n",
                  (*godwit)->kubeconfig().string()));
  const auto watched = watchStatus((*godwit)->api(), "", terminal, stop->token());
  return watched ? kDone : fail(watched.error());
}

}  // namespace

void addQuickstart(CLI::App& root, int& exit) {
  auto options = std::make_shared<QuickstartOptions>();
  auto* command = root.add_subcommand("quickstart", "Show a real volume being replicated on this machine, live");
  command->add_flag("--once", options->once, "End after the comparison: 0 when the image equals the source, else 1");
  command->add_option("--dir", options->dir, "Where the tour keeps its data; emptied first")->capture_default_str();
  command->add_option("--manifests", options->manifests, "The manifests to apply")->capture_default_str();
  command->callback([options, &exit] { exit = conduct(*options); });
}

}  // namespace godwit::cli
