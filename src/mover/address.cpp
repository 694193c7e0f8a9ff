#include "mover/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <memory>

#include <fmt/core.h>

namespace godwit::mover {

namespace {

Error badListen(std::string_view text) {
  return {Errc::Invalid, fmt::format("--listen {}: expected [ADDR:]PORT, as 8022, 127.0.0.1:8022 or [::1]:8022", text)};
}

std::string nameOf(const sockaddr_storage& address, socklen_t size) {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  const auto* raw = reinterpret_cast<const sockaddr*>(&address);
  if (::getnameinfo(raw, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "unknown";
  return address.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<UniqueFd> bindAndListen(const addrinfo& to) {
  UniqueFd fd(::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return errnoError("socket");
  const int on = 1, off = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (to.ai_family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd.get(), to.ai_addr, to.ai_addrlen) != 0 || ::listen(fd.get(), 64) != 0) return errnoError("bind");
  return fd;
}

}  // namespace

Result<ListenAddress> parseListen(std::string_view text) {
  ListenAddress out;
  const auto colon = text.rfind(':');
  auto port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  auto host = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size() || out.port < 0 || out.port > 65535)
    return badListen(text);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find(':') != std::string_view::npos) return badListen(text);
  if (!host.empty()) {
    const auto parsed = parseHost(host);
    if (!parsed.ok()) return badListen(text);
    out.host = *parsed;
  }
  return out;
}

Result<std::string> parseHost(std::string_view text) {
  auto host = text;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%";
  if (host.empty() || host.size() > 255 || host.front() == '-' ||
      host.find_first_not_of(kPlain) != std::string_view::npos) {
    return Error{Errc::Invalid,
                 fmt::format("address \"{}\" is neither a host name nor an IP address", text.substr(0, 255))};
  }
  return std::string(host);
}

Result<UniqueFd> listenTcp(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_family = address.host.empty() ? AF_INET6 : AF_UNSPEC;
  const auto port = std::to_string(address.port);
  addrinfo* raw = nullptr;
  const auto resolve = [&] {
    return ::getaddrinfo(address.host.empty() ? nullptr : address.host.c_str(), port.c_str(), &hints, &raw);
  };
  int failed = resolve();
  if (failed != 0) return Error{Errc::Invalid, fmt::format("--listen {}: {}", address.host, ::gai_strerror(failed))};
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, ::freeaddrinfo);
  auto fd = bindAndListen(*found);
  if (!fd.ok() && address.host.empty()) {  // a kernel without IPv6
    hints.ai_family = AF_INET;
    if (resolve() == 0) {
      found.reset(raw);
      auto second = bindAndListen(*found);
      if (second.ok()) return second;
    }
  }
  if (fd.ok()) return fd;
  auto error = fd.error();
  error.message = fmt::format("cannot listen on {}:{}: {}; name another with --listen or GODWIT_LISTEN",
                              address.host.empty() ? "*" : address.host, address.port, error.message);
  return error;
}

std::string peerName(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 ? nameOf(address, size) : "unknown";
}

std::string ownName(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 ? nameOf(address, size) : "unknown";
}

}  // namespace godwit::mover
