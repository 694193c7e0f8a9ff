#include <CLI/CLI.hpp>

#include "api/mover_result.h"
#include "mover/destination.h"
#include "mover/main.h"
#include "mover/source.h"
#include "mover/temp_dir.h"

namespace godwit::mover {

namespace {

// A flag wins over its environment variable, which wins over the default.
CLI::App& addSource(CLI::App& app, SourceOptions& options) {
  auto& side = *app.add_subcommand("source", "send a volume to a destination, then tell it to end");
  side.add_option("--data", options.data, "the volume's directory or block device; /dev/block where that is one")
      ->envname("GODWIT_DATA")
      ->capture_default_str();
  side.add_option("--keys", options.keys, "directory with source and destination.pub")
      ->envname("GODWIT_KEYS")
      ->capture_default_str();
  side.add_option("--address,--host", options.address, "the destination: host name, IPv4 or IPv6 address")
      ->envname(api::mover_env::kAddress);
  side.add_option("--port", options.port, "its port")
      ->envname(api::mover_env::kPort)
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  side.add_option("--user", options.user, "the login there")->capture_default_str();
  side.add_option("--path", options.path, "where in the destination's volume")->capture_default_str();
  side.add_flag("--direct", options.direct, "the volume is in use: vanishing files are counted, not fatal");
  side.add_flag("--allow-empty", options.allowEmpty, "let an empty volume empty its replica");
  side.add_flag("--block", options.block, "--data may name a regular file, taken as a block device");
  side.add_option("--progress", options.progress, "file that gets the live progress as one line of JSON")
      ->envname(api::mover_env::kProgress);
  return side;
}

CLI::App& addDestination(CLI::App& app, DestinationOptions& options) {
  auto& side = *app.add_subcommand("destination", "receive into a volume until the source says it is complete");
  side.add_option("--data", options.data, "the volume's directory or block device; /dev/block where that is one")
      ->envname("GODWIT_DATA")
      ->capture_default_str();
  side.add_option("--keys", options.keys, "directory with destination and source.pub")
      ->envname("GODWIT_KEYS")
      ->capture_default_str();
  side.add_option("--listen", options.listen, "[ADDR:]PORT")->envname(api::mover_env::kListen)->capture_default_str();
  side.add_option("--user", options.user, "a login accepted beside root")->capture_default_str();
  side.add_option("--path", options.path, "directory inside the volume to receive into")->capture_default_str();
  side.add_flag("--block", options.block, "--data may name a regular file, taken as a block device");
  return side;
}

}  // namespace

int moverMain(int argc, char** argv) {
  CLI::App app("Moves one volume; started by the operator, or by hand", "godwit mover");
  app.require_subcommand(1);
  SourceOptions source;
  DestinationOptions destination;
  const auto& sending = addSource(app, source);
  addDestination(app, destination);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int kUsage = 2;
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  return sending.parsed() ? runSource(source) : runDestination(destination);
}

}  // namespace godwit::mover
