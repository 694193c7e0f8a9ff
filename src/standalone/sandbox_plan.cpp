#include "standalone/sandbox_plan.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "api/mover_result.h"

namespace godwit::standalone {

namespace fs = std::filesystem;

namespace {

bool exists(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0;
}

// What a mover may do as root: the list every cluster's "baseline" policy allows (contract section 2).
struct Capability {
  const char* name;
  int number;
};
constexpr Capability kCapabilities[] = {
    {"AUDIT_WRITE", CAP_AUDIT_WRITE}, {"CHOWN", CAP_CHOWN},   {"DAC_OVERRIDE", CAP_DAC_OVERRIDE},
    {"FOWNER", CAP_FOWNER},           {"FSETID", CAP_FSETID}, {"MKNOD", CAP_MKNOD},
    {"SETFCAP", CAP_SETFCAP},         {"SETGID", CAP_SETGID}, {"SETUID", CAP_SETUID},
    {"SYS_CHROOT", CAP_SYS_CHROOT}};

bool needsPrivilege(int port) {
  constexpr int kFirstFreePort = 1024;
  return port > 0 && port < kFirstFreePort;
}

std::uint64_t capabilityMask(int listenPort) {
  std::uint64_t mask = needsPrivilege(listenPort) ? 1ull << CAP_NET_BIND_SERVICE : 0;
  for (const auto& capability : kCapabilities) mask |= 1ull << capability.number;
  return mask;
}

class Arguments {
 public:
  template <class... Words>
  void add(const Words&... words) {
    (out_.emplace_back(words), ...);
  }
  std::vector<std::string> take() { return std::move(out_); }

 private:
  std::vector<std::string> out_;
};

void addSystem(Arguments& args, const HostLayout& host) {
  for (const auto& dir : host.systemDirs) args.add("--ro-bind", dir, dir);
  for (const auto& [link, target] : host.links) args.add("--symlink", target, link);
  args.add("--dir", "/etc");
  for (const auto& path : host.etc) args.add("--ro-bind", path, path);
  // The mover writes these at its start: only root, sshd and the login user are known inside.
  for (const char* file : {"passwd", "group", "shadow"}) {
    args.add("--symlink", std::string("/tmp/godwit-etc/") + file, std::string("/etc/") + file);
  }
  if (!host.nsswitch.empty()) args.add("--ro-bind", host.nsswitch, "/etc/nsswitch.conf");
  // Root may write /proc/sys without any capability (core_pattern names a program that the host runs), and bubblewrap
  // covers only what is writable by its mode.
  args.add("--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev");
  args.add("--perms", "1777", "--tmpfs", "/tmp", "--tmpfs", "/run", "--perms", "0755", "--dir", "/run/sshd", "--perms",
           "0700", "--dir", "/root");
}

void addPrivileges(Arguments& args, const HostLayout& host, int listenPort) {
  if (!host.root) {
    args.add("--unshare-user");
    return;
  }
  args.add("--cap-drop", "ALL");
  for (const auto& capability : kCapabilities) args.add("--cap-add", std::string("CAP_") + capability.name);
  if (needsPrivilege(listenPort)) args.add("--cap-add", "CAP_NET_BIND_SERVICE");
}

void addMounts(Arguments& args, const std::vector<PlacedMount>& mounts) {
  auto sorted = mounts;  // what lies deeper comes later, or it would be covered
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.target.size() < b.target.size(); });
  for (const auto& mount : sorted) {
    if (mount.source.empty()) {
      args.add("--perms", mount.target == "/tmp" ? "1777" : "0700", "--tmpfs", mount.target);
    } else {
      args.add(mount.readOnly ? "--ro-bind" : "--bind", mount.source, mount.target);
    }
  }
}

// "godwit" in a pod's command is this very binary, whatever image the pod names.
std::vector<std::string> commandOf(const ContainerSpec& spec, const std::string& self) {
  auto out = spec.command;
  if (runsGodwit(spec)) out[0] = self;
  return out;
}

}  // namespace

bool runsGodwit(const ContainerSpec& spec) {
  return !spec.command.empty() && (spec.command[0] == "godwit" || spec.command[0].ends_with("/godwit"));
}

HostLayout readHostLayout() {
  HostLayout host;
  host.root = ::geteuid() == 0;
  std::error_code failed;
  host.self = fs::read_symlink("/proc/self/exe", failed).string();
  for (const char* dir : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix"}) {
    const auto target = fs::read_symlink(dir, failed);
    if (!failed) {
      host.links.emplace_back(dir, target.string());
    } else if (exists(dir)) {
      host.systemDirs.emplace_back(dir);
    }
  }
  for (const char* path :
       {"/etc/ssl", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime",
        "/etc/resolv.conf", "/etc/hosts", "/etc/services", "/etc/protocols", "/etc/crypto-policies", "/etc/gai.conf"}) {
    if (exists(path)) host.etc.emplace_back(path);
  }
  return host;
}

std::vector<std::string> bubblewrapArguments(const HostLayout& host, const ContainerSpec& spec,
                                             const std::vector<PlacedMount>& mounts) {
  constexpr auto kGodwit = "/run/godwit";
  Arguments args;
  args.add("--die-with-parent", "--new-session", "--as-pid-1", "--unshare-pid", "--unshare-ipc", "--unshare-uts");
  args.add("--info-fd", std::to_string(kInfo));
  addPrivileges(args, host, spec.listenPort);
  addSystem(args, host);
  addMounts(args, mounts);
  args.add("--bind", spec.stateDir + "/termination-log", "/dev/termination-log");
  args.add("--bind", spec.stateDir + "/progress", "/dev/godwit-progress");
  // /usr is the host's and read-only: the binary gets a place where nothing of the host is.
  args.add("--ro-bind", host.self, kGodwit);
  args.add("--remount-ro", "/", "--chdir", "/", "--");
  args.add(kGodwit, "contained", std::to_string(kSupervisor));
  for (auto& word : commandOf(spec, kGodwit)) args.add(word);
  return args.take();
}

std::vector<std::string> sandboxEnvironment(const ContainerSpec& spec) {
  std::vector<std::string> env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                                  std::string(api::mover_env::kTerminationLog) + "=/dev/termination-log",
                                  std::string(api::mover_env::kProgress) + "=/dev/godwit-progress"};
  for (const auto& [name, value] : spec.env) env.push_back(name + "=" + value);
  return env;
}

PlainPlan plainPlan(const HostLayout& host, const ContainerSpec& spec, const std::vector<PlacedMount>& mounts) {
  using Access = LandlockRule::Access;
  PlainPlan plan;
  plan.argv = commandOf(spec, host.self);
  plan.capabilities = capabilityMask(spec.listenPort);
  std::string temporary = spec.stateDir + "/tmp";
  for (const char* path : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/proc", "/sys/kernel/mm",
                           "/run/sshd", "/run/nscd"}) {
    plan.rules.push_back({path, Access::ReadOnly});
  }
  plan.rules.push_back({host.self, Access::ReadOnly});
  for (const char* path :
       {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts"}) {
    plan.rules.push_back({path, Access::ReadWrite});
  }
  for (const auto& [target, variable] : {std::pair{"/data", "GODWIT_DATA"}, std::pair{"/keys", "GODWIT_KEYS"}}) {
    for (const auto& mount : mounts) {
      if (mount.target == target) plan.env.push_back(std::string(variable) + "=" + mount.source);
    }
  }
  for (const auto& mount : mounts) {
    if (mount.target == "/tmp") temporary = mount.source;
    plan.rules.push_back({mount.source, mount.readOnly ? Access::ReadOnly : Access::ReadWrite});
  }
  plan.rules.push_back({temporary, Access::ReadWrite});
  // Not the directory: what a mover made there, a symlink say, the node would take for its own.
  for (const char* file : {"/termination-log", "/progress"})
    plan.rules.push_back({spec.stateDir + file, Access::ReadWrite});
  plan.env.insert(plan.env.end(),
                  {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + temporary,
                   "TMPDIR=" + temporary, "GODWIT_TMP=" + temporary,
                   std::string(api::mover_env::kTerminationLog) + "=" + spec.stateDir + "/termination-log",
                   std::string(api::mover_env::kProgress) + "=" + spec.stateDir + "/progress"});
  for (const auto& [name, value] : spec.env) plan.env.push_back(name + "=" + value);
  return plan;
}

}  // namespace godwit::standalone
