#include "bench/plain_rsync.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

namespace godwit::bench {

namespace fs = std::filesystem;

namespace {

Result<int> freePort() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), any, size) != 0 || ::getsockname(fd.get(), any, &size) != 0) return errnoError("a free port");
  return ntohs(address.sin_port);
}

Result<void> runOrSay(std::vector<std::string> argv) {
  GODWIT_ASSIGN(const auto output, runProcess({.argv = std::move(argv)}, {}, std::chrono::hours(1)));
  if (!output.status.success()) return Error{Errc::Io, output.err};
  return {};
}

// sshd says on stderr when it listens.
Result<void> untilListening(int fd) {
  std::string said;
  char buffer[512];
  pollfd waiting{fd, POLLIN, 0};
  while (::poll(&waiting, 1, 10000) > 0) {
    const auto n = ::read(fd, buffer, sizeof buffer);
    if (n <= 0) break;
    said.append(buffer, static_cast<std::size_t>(n));
    if (said.find("Server listening") != std::string::npos) return {};
  }
  return Error{Errc::Timeout, "sshd does not listen: " + said};
}

}  // namespace

PlainRsync::~PlainRsync() {
  if (!sshd_) return;
  (void)sshd_->killGroup(SIGTERM).ok();
  (void)sshd_->wait(std::chrono::seconds(5)).ok();
}

Result<void> PlainRsync::start() {
  fs::create_directories(dir_);
  if (::geteuid() == 0) fs::create_directories("/run/sshd");
  for (const char* key : {"host", "user"})
    GODWIT_TRY(runOrSay({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir_ + "/" + key}));
  GODWIT_ASSIGN(port_, freePort());
  const auto config = fmt::format(
      "ListenAddress 127.0.0.1:{1}\nHostKey {0}/host\nAuthorizedKeysFile {0}/user.pub\nPidFile none\n"
      "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n",
      dir_, port_);
  GODWIT_TRY(writeFileAtomic(dir_ + "/config", config));
  GODWIT_ASSIGN(auto pipe, makePipe());
  ProcessSpec spec;
  spec.argv = {"/usr/sbin/sshd", "-D", "-e", "-f", dir_ + "/config"};
  spec.fds = {{2, pipe.write.get()}};
  spec.dieWithParent = true;
  GODWIT_ASSIGN(auto process, Process::spawn(spec));
  sshd_.emplace(std::move(process));
  pipe.write.reset();
  GODWIT_TRY(untilListening(pipe.read.get()));
  static UniqueFd kept;  // sshd goes on writing to it
  kept = std::move(pipe.read);
  return {};
}

Result<void> PlainRsync::copy(const std::string& from, const std::string& to) const {
  const auto shell = fmt::format(
      "ssh -F none -p {} -i {}/user -o IdentitiesOnly=yes -o StrictHostKeyChecking=no "
      "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
      port_, dir_);
  return runOrSay({"rsync", "-a", "--delete", "-e", shell, from + "/", "127.0.0.1:" + to + "/"});
}

}  // namespace godwit::bench
