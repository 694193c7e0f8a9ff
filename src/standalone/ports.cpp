#include "standalone/ports.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sstream>

#include <fmt/core.h>

#include "base/fd.h"

namespace godwit::standalone {

namespace fs = std::filesystem;

Ports::State HostPorts::look(int port, bool anywhere) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(anywhere ? INADDR_ANY : INADDR_LOOPBACK);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return ::listen(fd.get(), 1) == 0 ? State::Free : State::Held;
  }
  return errno == EACCES || errno == EPERM ? State::NotPermitted : State::Held;
}

namespace {

// Inodes of the sockets that listen on `port`, from /proc/net/tcp and tcp6.
std::set<std::string> listeningInodes(int port) {
  std::set<std::string> out;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto content = readFile(table);
    if (!content.ok()) continue;
    std::istringstream lines(*content);
    std::string line;
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, skip, inode;
      fields >> slot >> local >> remote >> state;
      for (int i = 0; i < 5; ++i) fields >> skip;  // queues, timer, retransmits, uid, timeout
      fields >> inode;
      if (state == "0A" && local.ends_with(fmt::format(":{:04X}", port))) out.insert("socket:[" + inode + "]");
    }
  }
  return out;
}

bool holdsOne(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code failed;
  for (const auto& fd : fs::directory_iterator(process / "fd", failed)) {
    const auto target = fs::read_symlink(fd.path(), failed);
    if (!failed && sockets.contains(target.string())) return true;
  }
  return false;
}

}  // namespace

std::string HostPorts::holder(int port) {
  const auto sockets = listeningInodes(port);
  std::error_code failed;
  for (const auto& process : fs::directory_iterator("/proc", failed)) {
    const auto pid = process.path().filename().string();
    if (sockets.empty() || !std::isdigit(static_cast<unsigned char>(pid[0])) || !holdsOne(process.path(), sockets))
      continue;
    auto name = readFile(process.path() / "comm", 64);
    if (!name.ok()) continue;
    while (!name->empty() && name->back() == '\n') name->pop_back();
    return fmt::format("{} (pid {})", *name, pid);
  }
  return "another process";
}

// Where no route leads out, a machine of a network of its own still has an address there.
static std::string firstInterfaceAddress() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return "127.0.0.1";
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(all, &::freeifaddrs);
  for (const auto* at = all; at; at = at->ifa_next) {
    if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET || (at->ifa_flags & IFF_LOOPBACK) ||
        !(at->ifa_flags & IFF_UP))
      continue;
    char name[INET_ADDRSTRLEN];
    const auto* address = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
    if (::inet_ntop(AF_INET, &address->sin_addr, name, sizeof name)) return name;
  }
  return "127.0.0.1";
}

std::string primaryAddress() {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(9);
  ::inet_pton(AF_INET, "192.0.2.1", &to.sin_addr);  // documentation range: connect() on UDP only picks a route
  sockaddr_in from{};
  socklen_t length = sizeof from;
  char name[INET_ADDRSTRLEN];
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&from), &length) != 0 ||
      !::inet_ntop(AF_INET, &from.sin_addr, name, sizeof name)) {
    return firstInterfaceAddress();
  }
  return name;
}

}  // namespace godwit::standalone
