#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/manifests.h"

namespace godwit::cli {

namespace {

struct Options {
  ClientOptions client;
  std::vector<std::string> files;
};

// One bad object does not keep the others from being applied: as kubectl, all are tried and the exit code tells.
int applyAll(const Options& options) {
  auto client = connect(options.client);
  if (!client) return fail(client.error());
  int exit = kDone;
  std::size_t found = 0;
  for (const auto& file : options.files) {
    auto objects = loadManifests(file);
    if (!objects) {
      exit = fail(objects.error());
      continue;
    }
    found += objects->size();
    for (const auto& object : *objects) {
      auto applied = applyManifest(*client->api, object, client->ns);
      if (applied)
        fmt::print("{} {}\n", displayName(object), name(*applied));
      else
        exit = fail({applied.error().code, displayName(object) + ": " + applied.error().message});
    }
  }
  return found == 0 && exit == kDone ? fail({Errc::Invalid, "no objects to apply"}) : exit;
}

}  // namespace

void addApply(CLI::App& root, int& exit) {
  auto options = std::make_shared<Options>();
  auto* command = root.add_subcommand("apply", "Create objects, or make existing ones like the manifests");
  command->add_option("-f,--filename", options->files, "File, directory or - (repeatable)")->required();
  addClientOptions(*command, options->client);
  command->callback([options, &exit] { exit = applyAll(*options); });
}

}  // namespace godwit::cli
