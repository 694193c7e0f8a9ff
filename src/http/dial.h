// Outgoing connections.
#pragma once
#include "http/connection.h"

namespace godwit::http {

// Resolves and tries each address in turn. Unavailable names host and port and what the last attempt said.
Result<Connection> dial(const std::string& host, std::uint16_t port, const Patience& patience);

}  // namespace godwit::http
