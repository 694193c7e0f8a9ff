#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/live_status.h"
#include "cli/signals.h"

namespace godwit::cli {

namespace {

struct Options {
  ClientOptions client;
  bool all = false, watch = false;
  std::string output = "table";
};

int watchIt(Client& client, const std::string& ns) {
  const auto stop = StopSignal::install();
  if (!stop) return fail(stop.error());
  Terminal terminal;
  const auto watched = watchStatus(*client.api, ns, terminal, stop->token());
  return watched ? kDone : fail(watched.error());
}

int show(const Options& options) {
  auto client = connect(options.client);
  if (!client) return fail(client.error());
  const auto ns = options.all ? "" : client->ns;
  if (options.watch) return watchIt(*client, ns);
  const auto rows = statusRows(*client->api, ns);
  if (!rows) return fail(rows.error());
  if (options.output == "json") {
    fmt::print("{}\n", dumpJson(statusJson(*rows), 2));
  } else if (rows->empty()) {
    fmt::print(stderr, "No replications found{}.\n",
               options.all ? "" : fmt::format(" in namespace {} (-A: all namespaces)", ns));
  } else {
    fmt::print("{}", statusTable(*rows, options.all));
  }
  return kDone;
}

}  // namespace

void addStatus(CLI::App& root, int& exit) {
  auto options = std::make_shared<Options>();
  auto* command = root.add_subcommand("status", "Show every replication as a table");
  addClientOptions(*command, options->client);
  command->add_flag("-A,--all-namespaces", options->all, "Of all namespaces");
  auto* watch = command->add_flag("-w,--watch", options->watch, "Go on showing, until Ctrl-C");
  command->add_option("-o,--output", options->output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str()
      ->excludes(watch);
  command->callback([options, &exit] { exit = show(*options); });
}

}  // namespace godwit::cli
