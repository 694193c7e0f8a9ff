#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/log.h"
#include "cli/cli.h"
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
  log::info("cli", "serving on {}; export KUBECONFIG={}", (*standalone)->server(), (*standalone)->kubeconfig().string());
  notifySystemd("READY=1");
  stop->wait();
  notifySystemd("STOPPING=1");
  log::info("cli", "stopping");
  return kDone;
}

// An option that takes one of a few words, of which the first is the default.
template <class Enum>
void addChoice(CLI::App& command, const char* name, Enum& value, const std::vector<std::pair<std::string, Enum>>& words, const char* help) {
  std::string list;
  for (const auto& [word, meaning] : words) list += (list.empty() ? "" : "|") + word;
  const auto choose = [&value, words, name, list](const std::string& given) {
    const auto it = std::find_if(words.begin(), words.end(), [&](const auto& entry) { return entry.first == given; });
    if (it == words.end()) throw CLI::ValidationError(name, "\"" + given + "\" is not one of " + list);
    value = it->second;
  };
  command.add_option_function<std::string>(name, choose, help)->type_name(list)->default_str(words.front().first);
}

void addControllerOptions(CLI::App& command, replication::ControllerConfig& config) {
  using Config = replication::ControllerConfig;
  addChoice<Config::KeyType>(command, "--key-type", config.keyType,
                             {{"ed25519", Config::KeyType::Ed25519}, {"rsa", Config::KeyType::Rsa4096}, {"ecdsa", Config::KeyType::Ecdsa}},
                             "Kind of the SSH keys that are generated: ed25519, rsa (4096 bits) or ecdsa (P-256)");
  addChoice<Config::ForeignMovers>(command, "--foreign-movers", config.foreignMovers,
                                   {{"report", Config::ForeignMovers::Report}, {"ignore", Config::ForeignMovers::Ignore}},
                                   "Objects that select another mover than rsync: report an error, or ignore them");
  command.add_option("--time-zone", config.timeZone, "Zone of schedules without CRON_TZ=, such as Europe/Berlin; the machine's unless given");
}

void addPoolOptions(CLI::App& command, standalone::PoolOptions& pool) {
  using Kind = standalone::PoolOptions::Kind;
  addChoice<Kind>(command, "--pool", pool.kind, {{"auto", Kind::Auto}, {"btrfs", Kind::Btrfs}, {"directory", Kind::Directory}},
                  "Where volumes are made: on btrfs (in an image where the data directory is not), in directories, or the best there is");
  command.add_option("--pool-size", pool.imageBytes, "Size of the btrfs image when it is made, such as 100GB; as large as the file system unless given")
      ->transform(CLI::AsSizeValue(false).description(""))->type_name("SIZE");
}

}  // namespace

void addStandalone(CLI::App& root, int& exit) {
  auto options = std::make_shared<StandaloneOptions>();
  options->dataDir = defaultDataDir();
  auto* command = root.add_subcommand("standalone", "Replicate volumes on this machine, without a cluster");
  command->add_option("--data-dir", options->dataDir, "Where everything is kept")->capture_default_str();
  command->add_option("--address", options->address, "Where the API listens; keep it on this machine")->capture_default_str();
  command->add_option("--port", options->port, "Port of the API; 0 takes any free one")->capture_default_str();
  command->add_option("-f,--filename", options->manifests, "Manifest or directory of manifests to apply at start (repeatable)");
  addPoolOptions(*command, options->pool);
  addControllerOptions(*command, options->controller);
  command->callback([options, &exit] { exit = serve(*options); });
}

}  // namespace godwit::cli
