// Listening sockets.
#pragma once
#include <sys/socket.h>

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace godwit::http {

// Non-blocking, close-on-exec. Invalid: not an IP literal. Io and others: the message names address and port.
Result<UniqueFd> listenOn(const std::string& address, std::uint16_t port);
Result<std::uint16_t> boundPort(int fd);
std::string addressText(const sockaddr_storage& address);  // "127.0.0.1:80", "[::1]:80"

}  // namespace godwit::http
