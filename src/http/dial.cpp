#include "http/dial.h"

#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace godwit::http {

static Result<Connection> dialOne(const addrinfo& to, const Patience& patience) {
  UniqueFd fd(::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return errnoError("socket");
  if (::connect(fd.get(), to.ai_addr, to.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return errnoError("connect");
    GODWIT_TRY(waitFor(fd.get(), POLLOUT, patience));
    int err = 0;
    socklen_t size = sizeof err;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &err, &size) != 0 || err != 0) return errnoError("connect", err);
  }
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A watch may be silent for long; a peer that vanished must still be noticed.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const int idle = 30, interval = 10, probes = 3;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  return Connection(std::move(fd));
}

Result<Connection> dial(const std::string& host, std::uint16_t port, const Patience& patience) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int err = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); err != 0) {
    return Error{Errc::Unavailable, fmt::format("resolve {}: {}", host, ::gai_strerror(err))};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
  Error last{Errc::Unavailable, "no address"};
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    auto connection = dialOne(*at, patience);
    if (connection || connection.is(Errc::Cancelled)) return connection;
    last = connection.error();
  }
  const Errc code = last.code == Errc::Timeout ? Errc::Timeout : Errc::Unavailable;
  return Error{code, fmt::format("{} port {}: {}", host, port, last.message)};
}

}  // namespace godwit::http
