#include "standalone/contained.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include <fmt/core.h>

#include "base/fd.h"

namespace godwit::standalone {

bool supervised(const char* fd) {
  int number = -1;
  const auto* end = fd + std::strlen(fd);
  if (std::from_chars(fd, end, number).ptr != end) return false;
  const UniqueFd supervisor(number);
  pollfd ended{supervisor.get(), POLLIN, 0};
  return ::poll(&ended, 1, 0) == 0;
}

int becomeCommand(char** argv) {
  constexpr int kNotFound = 127, kNotRun = 126;
  ::execvp(argv[0], argv);
  const int why = errno;
  fmt::print(stderr, "godwit: cannot run {}: {}\n", argv[0], std::strerror(why));
  return why == ENOENT ? kNotFound : kNotRun;
}

}  // namespace godwit::standalone
