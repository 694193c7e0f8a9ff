// What an earlier life of the node left running.
#pragma once
#include <string>
#include <vector>

namespace godwit::standalone {

// Ends every bubblewrap of this user that was told a path below one of `dirs`, and waits until it has ended. One that
// is killed before it has told its first process to go on leaves that waiting for ever, with every mount in its hands.
void endLeftovers(const std::vector<std::string>& dirs);

}  // namespace godwit::standalone
