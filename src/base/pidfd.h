// Processes by descriptor instead of by number, which the kernel gives to others later.
#pragma once
#include <sys/types.h>

#include "base/fd.h"

namespace godwit {

// pidfd_open(2): readable when the process has ended. Invalid, with errno: there is none of this number.
UniqueFd openPidfd(pid_t pid);
// pidfd_send_signal(2). False, with errno: it has ended and been waited for, or may not be signalled.
bool signalPidfd(int pidfd, int number);

}  // namespace godwit
