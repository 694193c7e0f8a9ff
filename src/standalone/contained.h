// What a container under bubblewrap does first.
#pragma once

namespace godwit::standalone {

// "contained FD COMMAND...", the words of argv: whether bubblewrap, which FD is a pidfd of, still lives. It arms
// --die-with-parent just before it runs COMMAND, after the namespaces and mounts are made: when it was killed in those
// milliseconds (its node was), nobody would ever end what comes now. FD is closed.
bool supervised(const char* fd);

// Becomes the command, which is looked up in PATH. Returns when that fails: the exit code a shell would give.
int becomeCommand(char** argv);

}  // namespace godwit::standalone
