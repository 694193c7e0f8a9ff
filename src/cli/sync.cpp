#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/random.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/follow.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "cli/status_table.h"
#include "cli/terminal.h"

namespace godwit::cli {

namespace {

struct Options {
  ClientOptions client;
  std::string name;
  int timeoutSeconds = 3600;
};

const auto& kType = kube::resources::kReplicationSources;

std::string complaint(const Json& object) {
  const auto source = api::replicationFromJson(object);
  return source ? statusRow(*source, TimePoint{}, "").message : source.error().message;
}

constexpr const char* kOurs = "godwit-sync-";

// A manual trigger that stays would keep the schedule from ever being followed again.
Result<void> backToSchedule(kube::Api& api, const kube::NamespacedName& key, const Json& before) {
  const auto manual = text(before, "spec", "trigger", "manual");
  if (text(before, "spec", "trigger", "schedule").empty() || (!manual.empty() && !manual.starts_with(kOurs))) return {};
  GODWIT_TRY(api.patch(kType, key, {{"spec", {{"trigger", {{"manual", nullptr}}}}}}));
  return {};
}

Result<Json> syncNow(const Options& options, std::stop_token stop) {
  GODWIT_ASSIGN(auto client, connect(options.client));
  const kube::NamespacedName key{client.ns, options.name};
  GODWIT_ASSIGN(const auto before, client.api->get(kType, key));
  const auto value = kOurs + api::formatTime(SystemClock().now()) + "-" + Random().suffix();
  GODWIT_TRY(client.api->patch(kType, key, {{"spec", {{"trigger", {{"manual", value}}}}}}));
  Terminal terminal(2);
  const auto show = [&](const Json& object) {
    const auto source = api::replicationFromJson(object);
    if (!terminal.live() || !source) return;
    const auto progress = moverProgress(*client.api, *source);
    terminal.draw(progress ? longProgress(*progress) : complaint(object));
  };
  auto done = follow(*client.api, kType, key,
                     {.ready = [&](const Json& object) { return text(object, "status", "lastManualSync") == value; },
                      .tick = show,
                      .obstacle = complaint,
                      .timeout = std::chrono::seconds(options.timeoutSeconds),
                      .stop = stop});
  terminal.draw("");
  if (done.ok()) GODWIT_TRY(backToSchedule(*client.api, key, before));
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
  auto* command = root.add_subcommand("sync",
                                      "Synchronise a ReplicationSource now, once, and wait for it, by "
                                      "spec.trigger.manual; a schedule goes on afterwards");
  command->add_option("NAME", options->name, "The ReplicationSource")->required();
  command->add_option("--timeout", options->timeoutSeconds, "Seconds to wait")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  addClientOptions(*command, options->client);
  command->callback([options, &exit] { exit = run(*options); });
}

}  // namespace godwit::cli
