#include "cli/controller_options.h"

namespace godwit::cli {

void addControllerOptions(CLI::App& command, replication::ControllerConfig& config) {
  using Config = replication::ControllerConfig;
  addChoice<Config::KeyType>(
      command, "--key-type", config.keyType,
      {{"ed25519", Config::KeyType::Ed25519}, {"rsa", Config::KeyType::Rsa4096}, {"ecdsa", Config::KeyType::Ecdsa}},
      "Kind of the SSH keys that are generated: ed25519, rsa (4096 bits) or ecdsa (P-256)");
  addChoice<Config::ForeignMovers>(
      command, "--foreign-movers", config.foreignMovers,
      {{"report", Config::ForeignMovers::Report}, {"ignore", Config::ForeignMovers::Ignore}},
      "Objects that select another mover than rsync: report an error, or ignore them");
  command.add_option("--time-zone", config.timeZone,
                     "Zone of schedules without CRON_TZ=, such as Europe/Berlin; the machine's unless given");
}

}  // namespace godwit::cli
