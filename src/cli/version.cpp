#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/cli.h"

namespace godwit::cli {

void addVersion(CLI::App& root, int& exit) {
  auto* command = root.add_subcommand("version", "Print the version");
  command->callback([&exit] {
    fmt::print("godwit {}\n", GODWIT_VERSION);
    exit = kDone;
  });
}

}  // namespace godwit::cli
