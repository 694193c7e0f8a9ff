// The command lines of `godwit mover source` and `godwit mover destination`.
#pragma once

namespace godwit::mover {

// argv[0] is "mover", argv[1] the side, then flags. Returns the exit code of the side; 2 for a wrong command line.
int moverMain(int argc, char** argv);

}  // namespace godwit::mover
