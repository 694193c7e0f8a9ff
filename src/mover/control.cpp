#include "mover/control.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace godwit::mover {

namespace {

Result<sockaddr_un> address(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.size() >= sizeof out.sun_path)
    return Error{Errc::Invalid, path + ": too long for a socket; shorten GODWIT_TMP"};
  std::memcpy(out.sun_path, path.c_str(), path.size() + 1);
  return out;
}

UniqueFd makeSocket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
}

bool credentials(int fd, ucred& peer) {
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
}

}  // namespace

Result<UniqueFd> listenControl(const std::string& path) {
  GODWIT_ASSIGN(const auto to, address(path));
  UniqueFd fd = makeSocket();
  if (!fd.valid() || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return errnoError(path);
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(fd.get(), 16) != 0) return errnoError(path);
  return fd;
}

Result<UniqueFd> acceptControl(int listener) {
  UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd.valid()) return errnoError("accept");
  ucred peer{};
  if (!credentials(fd.get(), peer)) return errnoError("SO_PEERCRED");
  if (peer.uid != ::geteuid()) return Error{Errc::Forbidden, "a process of another user spoke to the control socket"};
  return fd;
}

void killPeer(int fd) {
  ucred peer{};
  if (credentials(fd, peer) && peer.pid > 0) ::kill(peer.pid, SIGKILL);
}

Result<UniqueFd> connectControl(const std::string& path) {
  GODWIT_ASSIGN(const auto to, address(path));
  UniqueFd fd = makeSocket();
  if (!fd.valid() || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    return errnoError("the destination's control socket");
  }
  return fd;
}

Result<void> sendMessage(int fd, std::string_view message) {
  message = message.substr(0, kMaxControlMessage);
  while (::send(fd, message.data(), message.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return errnoError("the destination's control socket");
  }
  return {};
}

Result<std::string> receiveMessage(int fd) {
  char buffer[kMaxControlMessage];
  for (;;) {
    const auto n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n >= 0) return std::string(buffer, static_cast<std::size_t>(n));
    if (errno != EINTR) return errnoError("the destination's control socket");
  }
}

Result<std::string> askControl(int fd, const std::string& message) {
  GODWIT_TRY(sendMessage(fd, message));
  GODWIT_ASSIGN(const auto answer, receiveMessage(fd));
  if (answer == "ok") return std::string();
  if (answer.starts_with("ok ")) return answer.substr(3);
  if (answer.empty()) return Error{Errc::Unavailable, "the destination is ending"};
  return Error{Errc::Conflict, answer.rfind("no ", 0) == 0 ? answer.substr(3) : answer};
}

}  // namespace godwit::mover
