#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "api/crd.h"
#include "cli/cli.h"

namespace godwit::cli {

void addCrds(CLI::App& root, int& exit) {
  auto* command = root.add_subcommand("crds", "Print the CustomResourceDefinitions, for kubectl apply -f -");
  command->callback([&exit] {
    fmt::print("{}---\n{}", api::crdYaml(api::Role::Source), api::crdYaml(api::Role::Destination));
    exit = kDone;
  });
}

}  // namespace godwit::cli
