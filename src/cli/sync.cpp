#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/status_table.h"
#include "cli/sync_once.h"
#include "cli/terminal.h"

namespace godwit::cli {

namespace {

struct Options {
  ClientOptions client;
  std::string name;
  int timeoutSeconds = 3600;
};

std::string complaint(const Json& object) {
  const auto source = api::replicationFromJson(object);
  return source ? statusRow(*source, TimePoint{}, "").message : source.error().message;
}

Result<Json> syncNow(const Options& options, std::stop_token stop) {
  GODWIT_ASSIGN(auto client, connect(options.client));
  Terminal terminal(2);
  const auto show = [&](const Json& object) {
    const auto source = api::replicationFromJson(object);
    if (!terminal.live() || !source) return;
    const auto progress = moverProgress(*client.api, *source);
    terminal.draw(progress ? longProgress(*progress) : complaint(object));
  };
  auto done = syncOnce(*client.api, {client.ns, options.name},
                       {.tick = show,
                        .complaint = complaint,
                        .timeout = std::chrono::seconds(options.timeoutSeconds),
                        .stop = std::move(stop)});
  terminal.draw("");
  return done;
}

int run(const Options& options) {
  const auto stop = StopSignal::install();
  if (!stop) return fail(stop.error());
  const auto synced = syncNow(options, stop->token());
  if (!synced) return fail(synced.error());
  const auto logs = text(*synced, "status", "latestMoverStatus", "logs");
  fmt::print("{}\n", logs.substr(0, logs.find('\n')));
  return kDone;
}

}  // namespace

void addSync(CLI::App& root, int& exit) {
  auto options = std::make_shared<Options>();
  auto* command =
      root.add_subcommand("sync",
                          "Synchronise a ReplicationSource now, once, and wait for it, by "
                          "spec.trigger.manual; afterwards, and when it is not waited for any more, spec.trigger "
                          "is as it was");
  command->add_option("NAME", options->name, "The ReplicationSource")->required();
  command->add_option("--timeout", options->timeoutSeconds, "Seconds to wait; a sync that has begun goes on even so")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  addClientOptions(*command, options->client);
  command->callback([options, &exit] { exit = run(*options); });
}

}  // namespace godwit::cli
