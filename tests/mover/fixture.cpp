#include "fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include <fmt/core.h>

namespace godwit::mover {

namespace fs = std::filesystem;

namespace {

std::string slurp(const std::string& path) {
  const auto text = readFile(path);
  return text.ok() ? *text : std::string();
}

}  // namespace

Running::Running(Arguments argv, std::string log, std::vector<std::string> extraEnvironment) : log_(std::move(log)) {
  std::ofstream(log_, std::ios::trunc);
  const UniqueFd out(::open(log_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  ProcessSpec spec;
  spec.argv = std::move(argv);
  spec.fds = {{1, out.get()}, {2, out.get()}};
  spec.env = std::move(extraEnvironment);
  for (char** each = ::environ; *each; ++each) spec.env->emplace_back(*each);
  auto process = Process::spawn(spec);
  EXPECT_TRUE(process.ok()) << (process.ok() ? "" : process.error().message);
  if (process.ok()) process_.emplace(*std::move(process));
}

Running::~Running() {
  if (!running()) return;
  (void)process_->killGroup(SIGKILL).ok();
  (void)process_->wait(Duration(-1)).ok();
}

bool waitUntil(const std::string& path, const std::function<bool()>& holds) {
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC));
  ::inotify_add_watch(watch.get(), path.c_str(), IN_MODIFY | IN_CREATE);
  const SystemClock clock;
  const auto until = clock.monotonic() + std::chrono::seconds(30);
  while (clock.monotonic() < until) {
    if (holds()) return true;
    pollfd fd{watch.get(), POLLIN, 0};
    char events[4096];
    if (::poll(&fd, 1, 1000) > 0 && ::read(watch.get(), events, sizeof events) < 0) break;
  }
  return false;
}

std::string Running::line(const std::string& text) {
  std::string found;
  const auto holds = [&] {
    std::istringstream lines(slurp(log_));
    while (std::getline(lines, found)) {
      if (found.find(text) != std::string::npos && !lines.eof()) return true;
    }
    return false;
  };
  if (waitUntil(log_, holds)) return found;
  ADD_FAILURE() << "no line with \"" << text << "\" in:\n" << log();
  return {};
}

std::size_t Running::count(const std::string& text) const {
  std::istringstream lines(slurp(log_));
  std::size_t found = 0;
  for (std::string each; std::getline(lines, each);) found += each.find(text) != std::string::npos;
  return found;
}

int Running::exitCode() {
  if (!process_) return -1;
  const auto status = process_->wait(std::chrono::minutes(4));
  return status.ok() && *status ? (*status)->code : -1;
}

bool Running::running() {
  if (!process_) return false;
  const auto status = process_->wait(Duration(0));
  return status.ok() && !*status;
}

void Running::signal(int number) {
  EXPECT_TRUE(process_ && process_->kill(number).ok());
}

std::string Running::log() const {
  return slurp(log_);
}

void MoverTest::SetUp() {
  if (::geteuid() != 0)
    GTEST_SKIP()
        << "SKIPPED: the mover with real ssh and rsync is NOT tested: needs root, to change owners and make devices";
  ::signal(SIGPIPE, SIG_IGN);  // some children end without reading what they are given
  ASSERT_NE(::mkdtemp(root_.data()), nullptr);
  for (const auto* name : {"keys", "src", "dst"}) fs::create_directory(at(name));
  for (const auto* key : {"source", "destination"})
    run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", at("keys/") + key});
}

void MoverTest::TearDown() {
  if (HasFailure()) return;  // what is left behind shows why
  std::error_code ignored;   // a lingering ssh removes its socket at the same time
  fs::remove_all(root_, ignored);
}

void MoverTest::write(const std::string& path, const std::string& text) const {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::trunc) << text;
}

void MoverTest::writeAt(const std::string& path, const std::string& text, long nanoseconds) const {
  write(path, text);
  const timespec times[2] = {{1'234'567'890, 0}, {1'234'567'890, nanoseconds}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

RunOutput MoverTest::run(Arguments argv, std::string_view input) const {
  const auto name = argv[0];
  auto output = runProcess({.argv = std::move(argv)}, input, std::chrono::seconds(120));
  EXPECT_TRUE(output.ok()) << name << ": " << (output.ok() ? "" : output.error().message);
  return output.ok() ? *std::move(output) : RunOutput{{255, 0}, {}, {}};
}

std::unique_ptr<Running> MoverTest::destination(Arguments more) {
  Arguments argv = as_;
  argv.insert(argv.end(), {MOVER_TOOL, "mover", "destination", "--data", replica(), "--keys", at("keys"), "--listen",
                           fmt::format("127.0.0.1:{}", port_)});
  argv.insert(argv.end(), more.begin(), more.end());
  auto out = std::make_unique<Running>(argv, at("destination.log"),
                                       std::vector<std::string>{"GODWIT_TERMINATION_LOG=" + at("destination.end")});
  const auto line = out->line("listening on 127.0.0.1:");
  const auto where = line.find("127.0.0.1:");
  if (where != std::string::npos) port_ = std::atoi(line.c_str() + where + 10);
  return out;
}

std::unique_ptr<Running> MoverTest::oldDestination() {
  return oldDestination("");
}

std::unique_ptr<Running> MoverTest::oldDestination(const std::string& moreCases) {
  { const auto reserve = destination(); }  // finds a free port and gives it back
  write(at("command"), fmt::format("#!/bin/sh\ncd {}\ncase \"$SSH_ORIGINAL_COMMAND\" in\n"
                                   "{}\n'rsync --server '*) eval exec \"$SSH_ORIGINAL_COMMAND\";;\n"
                                   "'shutdown 0') touch {}; exit 0;;\n*) echo Invalid command >&2; exit 1;;\nesac\n",
                                   replica(), moreCases, at("was-told")));
  fs::permissions(at("command"), fs::perms::owner_all);
  write(at("authorized"), fmt::format("restrict,command=\"{}\" {}", at("command"), *readFile(at("keys/source.pub"))));
  write(at("sshd_config"),
        fmt::format("Port {}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\n"
                    "UsePAM no\nPermitRootLogin yes\nPidFile none\n",
                    port_, at("keys/destination"), at("authorized")));
  auto out = std::make_unique<Running>(Arguments{"/usr/sbin/sshd", "-D", "-e", "-f", at("sshd_config")},
                                       at("destination.log"));
  out->line("Server listening");
  return out;
}

std::unique_ptr<Running> MoverTest::startSource(Arguments more) {
  Arguments argv = {MOVER_TOOL,
                    "mover",
                    "source",
                    "--data",
                    source(),
                    "--keys",
                    at("keys"),
                    "--address",
                    "127.0.0.1",
                    "--port",
                    std::to_string(port_)};
  argv.insert(argv.end(), more.begin(), more.end());
  return std::make_unique<Running>(
      argv, at("source.log"),
      std::vector<std::string>{"GODWIT_TERMINATION_LOG=" + at("source.end"), "GODWIT_PROGRESS=" + at("progress")});
}

int MoverTest::send(Arguments more) {
  return startSource(std::move(more))->exitCode();
}

static api::MoverResult readResult(const std::string& path) {
  const auto result = api::decodeMoverResult(slurp(path));
  EXPECT_TRUE(result.ok()) << path << ": " << (result.ok() ? "" : result.error().message);
  return result.ok() ? *result : api::MoverResult{};
}

api::MoverResult MoverTest::sourceResult() const {
  return readResult(at("source.end"));
}
api::MoverResult MoverTest::destinationResult() const {
  return readResult(at("destination.end"));
}

Arguments MoverTest::sshOptions(int persist) const {
  const auto known = slurp(at("keys/destination.pub"));
  write(at("known_hosts"), fmt::format("[127.0.0.1]:{} {}", port_, known));
  Arguments out = {"ssh", "-F", "none", "-p", std::to_string(port_), "-l", "root", "-i", at("keys/source")};
  const auto option = [&](const std::string& text) { out.insert(out.end(), {"-o", text}); };
  option("UserKnownHostsFile=" + at("known_hosts"));
  for (const auto* each : {"StrictHostKeyChecking=yes", "BatchMode=yes", "IdentitiesOnly=yes"}) option(each);
  if (persist == 0) return out;
  for (const auto& each :
       {"ControlPath=" + at("mux"), std::string("ControlMaster=auto"), fmt::format("ControlPersist={}", persist)})
    option(each);
  return out;
}

std::string MoverTest::rsyncShell(int persist) const {
  std::string out;
  for (const auto& word : sshOptions(persist)) out += word + " ";
  return out;
}

RunOutput MoverTest::ssh(const std::string& command, int persist) const {
  auto argv = sshOptions(persist);
  argv.insert(argv.end(), {"127.0.0.1", command});
  return run(argv);
}

std::string MoverTest::difference(const std::string& from, const std::string& to) const {
  const auto output =
      run({"rsync", "-anAHXSc", "--delete", "--itemize-changes", "--exclude=/lost+found", from + "/", to + "/"});
  return output.status.success() ? output.out : "rsync failed: " + output.err;
}

static pid_t masterOf(int port) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const auto command = readFile(entry.path().string() + "/cmdline", 4096);
    if (!command.ok() || command->find(std::string("\0-M\0-f\0-N\0", 10)) == std::string::npos) continue;
    const auto from = command->find("-F") + 3;
    const auto configuration = readFile(command->substr(from, command->find('\0', from) - from), 1 << 16);
    if (configuration.ok() && configuration->find(fmt::format("\nPort {}\n", port)) != std::string::npos)
      return std::atoi(entry.path().filename().c_str());
  }
  return 0;
}

void killMasterOf(int port) {
  const auto master = masterOf(port);
  ASSERT_GT(master, 1);
  EXPECT_EQ(::kill(master, SIGKILL), 0);
}

}  // namespace godwit::mover
