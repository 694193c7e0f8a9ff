#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/controller_options.h"
#include "cli/data_dir.h"
#include "cli/notify.h"
#include "cli/signals.h"
#include "cli/standalone.h"

namespace godwit::cli {

namespace {

int serve(const StandaloneOptions& options) {
  const auto stop = StopSignal::install();
  if (!stop) return fail(stop.error());
  auto standalone = Standalone::start(options);
  if (!standalone) return fail(standalone.error());
  log::info("cli", "serving on {}; export KUBECONFIG={}", (*standalone)->server(),
            (*standalone)->kubeconfig().string());
  notifySystemd("READY=1");
  stop->wait();
  notifySystemd("STOPPING=1");
  log::info("cli", "stopping");
  return kDone;
}

void addPoolOptions(CLI::App& command, standalone::PoolOptions& pool) {
  using Kind = standalone::PoolOptions::Kind;
  addChoice<Kind>(command, "--pool", pool.kind,
                  {{"auto", Kind::Auto}, {"btrfs", Kind::Btrfs}, {"directory", Kind::Directory}},
                  "Where volumes are made: on btrfs (in an image where the data directory is not), in directories, or "
                  "the best there is");
  command
      .add_option("--pool-size", pool.imageBytes,
                  "Size of the btrfs image when it is made, such as 100GB; nine tenths of what is free unless given")
      ->transform(CLI::AsSizeValue(false).description(""))
      ->type_name("SIZE");
}

}  // namespace

void addStandalone(CLI::App& root, int& exit) {
  auto options = std::make_shared<StandaloneOptions>();
  options->dataDir = defaultDataDir();
  auto* command = root.add_subcommand("standalone", "Replicate volumes on this machine, without a cluster");
  command->add_option("--data-dir", options->dataDir, "Where everything is kept")->capture_default_str();
  command->add_option("--address", options->address, "Where the API listens; keep it on this machine")
      ->capture_default_str();
  command->add_option("--port", options->port, "Port of the API; 0 takes any free one")->capture_default_str();
  command->add_option("-f,--filename", options->manifests,
                      "Manifest or directory of manifests to apply at start (repeatable)");
  addPoolOptions(*command, options->pool);
  addControllerOptions(*command, options->controller);
  command->callback([options, &exit] { exit = serve(*options); });
}

}  // namespace godwit::cli
