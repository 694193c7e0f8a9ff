#include "standalone/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/json.h"
#include "base/log.h"
#include "base/pidfd.h"
#include "standalone/copy_tree.h"
#include "standalone/leftovers.h"

namespace godwit::standalone {

namespace {

class Contained final : public RunningContainer {
 public:
  Contained(Process process, UniqueFd inner) : process_(std::move(process)), inner_(std::move(inner)) {}
  ~Contained() override {
    if (!poll()) {
      kill();
      (void)process_.wait(std::chrono::seconds(5)).ok();
    }
  }
  std::optional<ExitStatus> poll() override {
    auto status = process_.wait(Duration::zero());
    if (status.ok() && *status) return **status;
    if (!status.ok()) return ExitStatus{255, 0};  // nobody can tell any more
    return std::nullopt;
  }
  void signal(int number) override {
    if (inner_.valid()) {
      (void)signalPidfd(inner_.get(), number);
    } else {
      (void)process_.kill(number).ok();
    }
  }
  // The first process of a pid namespace takes all others with it.
  void kill() override {
    if (inner_.valid()) (void)signalPidfd(inner_.get(), SIGKILL);
    (void)process_.killGroup(SIGKILL).ok();
  }
  int eventFd() const override { return process_.pidfd(); }

 private:
  Process process_;
  UniqueFd inner_;  // pidfd of the container's first process; invalid: it is process_ itself
};

constexpr std::size_t kLongestMemory =
    40;  // leaves room for a container's directory within the 60 characters a mover takes (sockets have 108)

bool inMemory(const std::string& path) {
  constexpr long kTmpfs = 0x01021994;
  struct statfs st {};
  return ::statfs(path.c_str(), &st) == 0 && st.f_type == kTmpfs;
}

// A private directory of ours: an existing one of somebody else's is not taken.
bool makePrivate(const std::string& path) {
  struct stat st {};
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return false;
  return ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == ::geteuid() &&
         ::chmod(path.c_str(), 0700) == 0;
}

Result<UniqueFd> create(const std::string& path, int flags, unsigned mode) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, mode));
  if (!fd.valid()) return errnoError(path);
  return fd;
}

// Until the namespaces stand. A mount behind a volume that answers no more (NFS, FUSE) would hold bubblewrap for ever,
// and everything else of this machine with it.
constexpr int kPatienceMs = 10'000;

// bubblewrap says {"child-pid": N, ...} as soon as the namespaces stand, and closes; nothing when it fails.
Result<UniqueFd> readInner(int fd) {
  std::string said;
  char buffer[512];
  for (;;) {
    pollfd at{fd, POLLIN, 0};
    const int ready = ::poll(&at, 1, kPatienceMs);
    if (ready == 0)
      return Error{Errc::Timeout,
                   "bubblewrap did not start within ten seconds; does what is mounted below a volume answer?"};
    const ssize_t n = ready < 0 ? -1 : ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    said.append(buffer, static_cast<std::size_t>(n));
  }
  const auto info = parseJson(said);
  const auto pid = info.ok() ? number(0, *info, "child-pid") : 0;
  return pid > 0 ? openPidfd(static_cast<pid_t>(pid)) : UniqueFd();
}

}  // namespace

Result<std::unique_ptr<Sandbox>> Sandbox::open(const Options& options) {
  std::unique_ptr<Sandbox> out(new Sandbox(options));
  std::error_code failed;
  std::filesystem::create_directories(options.stateDir, failed);
  if (failed) return Error{Errc::Io, fmt::format("{}: {}", options.stateDir, failed.message())};
  GODWIT_TRY(out->chooseMemory());
  endLeftovers({options.stateDir, out->memory_});
  if (!out->host_.nsswitch.empty())
    GODWIT_TRY(writeFileAtomic(out->host_.nsswitch, "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"));
  auto probed = options.mayNamespaces ? out->probe() : Error{Errc::Unsupported, "switched off"};
  if (probed.ok()) return out;
  out->mode_ = landlockAbi() > 0 ? Mode::Landlock : Mode::Plain;
  log::warn(
      "node", "bubblewrap cannot start here ({}); movers run as plain processes {}", probed.error().message,
      out->mode_ == Mode::Landlock ? "under Landlock" : "without confinement: this kernel has no Landlock either");
  return out;
}

Sandbox::~Sandbox() {
  if (!memory_.empty()) (void)removeTree(memory_).ok();
}

// Short names: a plain process is told its temporary directory by a path of the host, and makes sockets there.
Result<void> Sandbox::chooseMemory() {
  const auto id = fmt::format("{:08x}", static_cast<std::uint32_t>(std::hash<std::string>{}(options_.stateDir)));
  const auto ours = fmt::format("/godwit-{}-{}", ::geteuid(), id);
  const char* session = std::getenv("XDG_RUNTIME_DIR");  // the user's alone
  const auto first = host_.root ? "/run" + ours : session ? session + ("/godwit-" + id) : "";
  for (const auto& path : {first, "/dev/shm" + ours, "/tmp" + ours}) {
    const bool lasting = path.starts_with("/tmp/");
    if (path.empty() || path.size() > kLongestMemory) continue;
    if (!lasting && !inMemory(std::filesystem::path(path).parent_path())) continue;
    (void)removeTree(path).ok();
    if (!makePrivate(path)) continue;
    if (lasting)
      log::warn("node", "no file system in memory (/run, /dev/shm): Secrets of running movers are on disk, in {}",
                path);
    memory_ = path;
    host_.nsswitch = path + "/nsswitch.conf";
    return {};
  }
  return Error{Errc::Io,
               fmt::format("no place for Secrets and temporary files: neither {}/dev/shm nor /tmp can be written to",
                           host_.root ? "/run, " : "")};
}

namespace {

// bubblewrap around a container; it tells `info` the first process's id.
ProcessSpec bubblewrap(const HostLayout& host, const ContainerSpec& spec, const std::vector<PlacedMount>& mounts,
                       int info) {
  ProcessSpec process;
  process.argv = {"bwrap"};
  for (auto& word : bubblewrapArguments(host, spec, mounts)) process.argv.push_back(std::move(word));
  process.env = sandboxEnvironment(spec);
  process.fds = {{kInfo, info}};
  process.ownPidfd = kSupervisor;
  return process;
}

}  // namespace

Result<void> Sandbox::probe() {
  ContainerSpec spec;
  spec.command = {"true"};
  spec.stateDir = memory_ + "/probe";
  GODWIT_TRY(prepareState(spec.stateDir));
  GODWIT_ASSIGN(const auto info, makePipe());
  auto output = runProcess(bubblewrap(host_, spec, {}, info.write.get()), {}, std::chrono::seconds(10));
  (void)removeTree(spec.stateDir).ok();
  if (!output.ok()) return std::move(output.error());
  if (output->status.success()) return {};
  auto said = output->err.substr(0, output->err.find('\n'));
  return Error{Errc::Unsupported, said};
}

std::string Sandbox::memoryOf(const std::string& stateDir) const {
  return fmt::format("{}/{:016x}", memory_,
                     std::hash<std::string>{}(std::filesystem::path(stateDir).filename().string()));
}

Result<void> Sandbox::prepareState(const std::string& stateDir) const {
  if (!makePrivate(stateDir)) return errnoError(stateDir);
  for (const char* file : {"/termination-log", "/progress"}) {
    GODWIT_ASSIGN([[maybe_unused]] const auto fd, create(stateDir + file, O_TRUNC, 0600));
  }
  return {};
}

// Keys come from whoever may write Secrets; files are made with the node's rights.
static bool plainName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

Result<std::vector<PlacedMount>> Sandbox::place(const ContainerSpec& spec) const {
  const auto memory = memoryOf(spec.stateDir);
  (void)removeTree(memory).ok();
  if (!makePrivate(memory)) return errnoError(memory);
  std::vector<PlacedMount> out;
  for (const auto& mount : spec.mounts) {
    PlacedMount placed{mount.source, mount.target, mount.readOnly};
    const bool fromFiles = mount.source.empty() && (mount.readOnly || !mount.files.empty());
    if (fromFiles || (mount.source.empty() && mode_ != Mode::Bubblewrap)) {
      placed.source = memory + "/" + std::to_string(out.size());
      if (!makePrivate(placed.source)) return errnoError(placed.source);
      for (const auto& file : mount.files) {
        if (!plainName(file.name))
          return Error{Errc::Invalid, fmt::format("{}: a key that is no file name: {}", mount.target, file.name)};
        GODWIT_ASSIGN(const auto fd, create(placed.source + "/" + file.name, O_EXCL, 0600));
        GODWIT_TRY(writeAll(fd.get(), file.content));
        if (::fchmod(fd.get(), file.mode) != 0) return errnoError(placed.source + "/" + file.name);
      }
    }
    out.push_back(std::move(placed));
  }
  return out;
}

Result<std::unique_ptr<RunningContainer>> Sandbox::start(const ContainerSpec& spec) {
  GODWIT_TRY(prepareState(spec.stateDir));
  GODWIT_ASSIGN(const auto log, create(spec.stateDir + "/log", O_APPEND, 0600));
  GODWIT_ASSIGN(const auto mounts, place(spec));
  if (mode_ == Mode::Bubblewrap) return startBubblewrap(spec, mounts, log.get());
  return startPlain(spec, mounts, log.get());
}

namespace {

// As every container's process runs: away from our directory and our terminal, and never longer than we do.
void detach(ProcessSpec& process, int in, int log) {
  process.cwd = "/";
  process.fds.insert(process.fds.end(), {{0, in}, {1, log}, {2, log}});
  process.dieWithParent = true;
}

Result<UniqueFd> nothing() {
  UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errnoError("/dev/null");
  return fd;
}

}  // namespace

Result<std::unique_ptr<RunningContainer>> Sandbox::startBubblewrap(const ContainerSpec& spec,
                                                                   const std::vector<PlacedMount>& mounts, int log) {
  GODWIT_ASSIGN(auto info, makePipe());
  GODWIT_ASSIGN(const auto input, nothing());
  auto process = bubblewrap(host_, spec, mounts, info.write.get());
  detach(process, input.get(), log);
  // The first process of a pid namespace never gets what it has no handler for: told to end right after its start, a
  // mover would go on. Blocked, the signal waits until the mover reads it.
  if (runsGodwit(spec)) process.blocked = {SIGTERM};
  GODWIT_ASSIGN(auto started, Process::spawn(process));
  info.write.reset();
  auto inner = readInner(info.read.get());
  if (!inner) {
    (void)started.killGroup(SIGKILL).ok();
    return inner.error();
  }
  return std::unique_ptr<RunningContainer>(std::make_unique<Contained>(std::move(started), *std::move(inner)));
}

Result<std::unique_ptr<RunningContainer>> Sandbox::startPlain(const ContainerSpec& spec,
                                                              const std::vector<PlacedMount>& mounts, int log) {
  GODWIT_ASSIGN(const auto input, nothing());
  if (!makePrivate(spec.stateDir + "/tmp")) return errnoError(spec.stateDir + "/tmp");
  auto plan = plainPlan(host_, spec, mounts);
  UniqueFd ruleset;
  ProcessSpec process;
  process.argv = std::move(plan.argv);
  process.env = std::move(plan.env);
  detach(process, input.get(), log);
  process.capabilities = plan.capabilities;
  if (mode_ == Mode::Landlock) {
    GODWIT_ASSIGN(ruleset, landlockRuleset(plan.rules));
    process.landlock = ruleset.get();
  }
  GODWIT_ASSIGN(auto started, Process::spawn(process));
  return std::unique_ptr<RunningContainer>(std::make_unique<Contained>(std::move(started), UniqueFd()));
}

std::string Sandbox::terminationMessage(const std::string& stateDir) {
  constexpr std::size_t kMost = 4096, kReadable = 1 << 20;
  auto message = readFile(stateDir + "/termination-log", kReadable);
  return message.ok() ? message->substr(0, kMost) : "";
}

void Sandbox::forget(const std::string& stateDir) {
  for (const auto& path : {memoryOf(stateDir), stateDir}) {
    if (const auto gone = removeTree(path); !gone.ok()) log::warn("node", "{}", gone.error().message);
  }
}

}  // namespace godwit::standalone
