#include "mover/sshd.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <fmt/core.h>

#include "mover/forced_command.h"
#include "mover/keys.h"

namespace godwit::mover {

namespace {

Result<std::string> findSshd() {
  for (const char* path : {"/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"}) {
    if (::access(path, X_OK) == 0) return std::string(path);
  }
  return Error{Errc::NotFound, "sshd is not installed here (Debian: apt-get install openssh-server)"};
}

// sshd of root gives its unprivileged half this empty directory; a machine whose sshd never ran does not have it yet.
Result<void> makeSeparationDirectory() {
  if (::geteuid() != 0) return {};
  struct stat st {};
  if (::stat("/run/sshd", &st) == 0) return {};
  if (::mkdir("/run/sshd", 0755) != 0 && errno != EEXIST) return errnoError("/run/sshd, which sshd needs");
  return {};
}

std::string configuration(const TempDir& dir, const std::string& user) {
  auto out = fmt::format("HostKey {}\nAuthorizedKeysFile {}\n", dir.file("host_key"), dir.file("authorized_keys"));
  out += user == "root" ? "AllowUsers root\n" : fmt::format("AllowUsers root {}\n", user);
  // One key, one command, nothing else: no forwarding, no terminal, no environment, no files of a home directory.
  out +=
      "AuthenticationMethods publickey\nPubkeyAuthentication yes\nPasswordAuthentication "
      "no\nKbdInteractiveAuthentication no\n"
      "PermitRootLogin yes\nStrictModes no\nUsePAM no\nDisableForwarding yes\nPermitTTY no\nPermitTunnel "
      "no\nPermitUserRC no\n"
      "PermitUserEnvironment no\nUseDNS no\nPrintMotd no\nPrintLastLog no\nPidFile none\nLogLevel INFO\n";
  // VolSync's source keeps one connection for all it does; a silent peer is given up after two minutes.
  out +=
      "LoginGraceTime 30\nMaxAuthTries 6\nMaxSessions 10\nClientAliveInterval 30\nClientAliveCountMax 4\nTCPKeepAlive "
      "no\n";
  return out;
}

}  // namespace

Result<std::string> ownBinary() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (error) return Error{Errc::Unsupported, "cannot find our own binary: /proc is not mounted"};
  if (path.find_first_of("'\"\\ :\n\t%") != std::string::npos) {
    return Error{Errc::Unsupported,
                 path + ": move the binary to a path without blanks, quotes, colons and percent signs"};
  }
  return path;
}

Result<SshdSetup> setUpSshd(const TempDir& dir, const std::string& keys, const std::string& user) {
  GODWIT_ASSIGN(const auto hostText, readKeyField(keys, "destination"));
  GODWIT_ASSIGN(const auto hostKey, privateKey(hostText, "destination"));
  GODWIT_ASSIGN(const auto sourceText, readKeyField(keys, "source.pub"));
  GODWIT_ASSIGN(const auto sourceKey, publicKey(sourceText, "source.pub"));
  GODWIT_ASSIGN(const auto self, ownBinary());
  SshdSetup setup;
  GODWIT_ASSIGN(setup.program, findSshd());
  GODWIT_TRY(makeSeparationDirectory());
  GODWIT_ASSIGN(setup.view, makeAccountView(user, self, dir.path()));
  GODWIT_TRY(writePrivate(dir.file("host_key"), hostKey));
  GODWIT_TRY(writePrivate(dir.file("authorized_keys"),
                          fmt::format("restrict,command=\"{}{}\" {}", self, kForcedCommand, sourceKey)));
  setup.configuration = dir.file("sshd_config");
  GODWIT_TRY(writePrivate(setup.configuration, configuration(dir, user)));
  setup.directory = dir.path();
  setup.user = user;
  const ProcessSpec check{.argv = {setup.program, "-t", "-f", setup.configuration}};
  GODWIT_ASSIGN(const auto checked, runProcess(check));
  if (!checked.status.success())
    return Error{Errc::Invalid, "sshd refuses the keys or its configuration: " + checked.err};
  return setup;
}

Result<Process> startSshd(const SshdSetup& setup, int connection, int id) {
  std::string variables = fmt::format("SetEnv={}={} {}={}", kSessionDirectory, setup.directory, kSessionId, id);
  for (const auto& variable : setup.view.environment) variables += " " + variable;
  ProcessSpec spec;
  spec.argv = {setup.program, "-i", "-e", "-f", setup.configuration, "-o", variables};
  std::vector<std::string> env = setup.view.environment;
  env.push_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  spec.env = std::move(env);
  spec.fds = {{0, connection}, {1, connection}, {2, STDOUT_FILENO}};
  spec.dieWithParent = true;
  return Process::spawn(spec);
}

}  // namespace godwit::mover
