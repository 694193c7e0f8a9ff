// The mover's two entrances alone, as the godwit binary has them: quick to build, and nothing else of the product is
// needed.
#include <string_view>

#include "mover/forced_command.h"
#include "mover/main.h"

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "-c") return godwit::mover::runForcedCommand(argv[2]);
  if (argc > 2 && std::string_view(argv[1]) == "mover") return godwit::mover::moverMain(argc - 1, argv + 1);
  return 2;
}
