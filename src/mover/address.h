// [ADDR:]PORT and host addresses as users write them, IPv6 with or without brackets.
#pragma once
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace godwit::mover {

struct ListenAddress {
  std::string host;  // without brackets; empty: every address of the machine
  int port = 0;      // 0: the kernel chooses
};

// "8022", "127.0.0.1:8022", "[::1]:8022". Invalid names the flag and the form.
Result<ListenAddress> parseListen(std::string_view text);

// A host name or an address literal, brackets taken off; Invalid for what could be taken as an option or a pattern by
// ssh.
Result<std::string> parseHost(std::string_view text);

// A listening TCP socket; on every address it takes IPv6 and IPv4 alike where the kernel has both. The error names who
// is asked.
Result<UniqueFd> listenTcp(const ListenAddress& address);

// "127.0.0.1:40000" or "[::1]:40000": of the other end, or of our own.
std::string peerName(int fd);
std::string ownName(int fd);

}  // namespace godwit::mover
