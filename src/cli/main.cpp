#include <string_view>

#include "cli/cli.h"
#include "mover/forced_command.h"
#include "mover/main.h"
#include "standalone/contained.h"

// Faces before the command line's own: the login shell of a destination's sessions, what a container of standalone
// mode does first, and the mover inside its pod.
int main(int argc, char** argv) {
  using godwit::mover::moverMain;
  using godwit::mover::runForcedCommand;
  if (argc == 3 && std::string_view(argv[1]) == "-c") return runForcedCommand(argv[2]);
  if (argc > 3 && std::string_view(argv[1]) == "contained") {
    constexpr int kKilled = 137;
    if (!godwit::standalone::supervised(argv[2])) return kKilled;
    const std::string_view self = argv[0];
    argc -= 3, argv += 3;
    if (argv[0] != self) return godwit::standalone::becomeCommand(argv);
  }
  if (argc > 1 && std::string_view(argv[1]) == "mover") return moverMain(argc - 1, argv + 1);
  return godwit::cli::run(argc, argv);
}
