#include "installation.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "kube/http_api.h"
#include "kube/kubeconfig.h"
#include "standalone/pool.h"

namespace godwit::e2e {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

Installation::Installation() {
  if (!::mkdtemp(root_.data())) ADD_FAILURE() << "mkdtemp " << root_;
  ::signal(SIGPIPE, SIG_IGN);
}

Installation::~Installation() {
  if (running()) stop();
  standalone::closePool(at("data"));  // a life that was killed left it mounted
  if (testing::Test::HasFailure()) return;
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

std::string Installation::log() const {
  const auto text = readFile(at("log"));
  return text.ok() ? *text : std::string();
}

void Installation::breakBubblewrap() {
  path_ = at("bin");
  fs::create_directory(path_);
  std::ofstream(path_ + "/bwrap") << "#!/bin/sh\necho 'setting up uid map: Permission denied' >&2\nexit 1\n";
  fs::permissions(path_ + "/bwrap", fs::perms(0755));
}

bool Installation::runAs(unsigned uid) {
  const auto id = std::to_string(uid);
  wrapper_ = {"setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--inh-caps=-all"};
  if (::geteuid() != 0 || ::chown(root_.c_str(), uid, uid) != 0) return false;
  return godwit({"version"}).status.success();
}

ProcessSpec Installation::spec(std::vector<std::string> arguments) const {
  ProcessSpec out;
  out.argv = wrapper_;
  out.argv.push_back(GODWIT_BINARY);
  out.argv.insert(out.argv.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  out.env.emplace();
  for (char** each = ::environ; *each; ++each) out.env->emplace_back(*each);
  std::erase_if(*out.env, [](const auto& each) { return each.starts_with("KUBECONFIG="); });
  out.env->push_back("KUBECONFIG=" + at("data/kubeconfig"));
  if (path_.empty()) return out;
  for (auto& each : *out.env) {
    if (each.starts_with("PATH=")) each.insert(5, path_ + ":");
  }
  return out;
}

// Waits until `ready` holds for the text of the log, looking again whenever it grows.
static bool untilLog(const std::string& path, Duration most, const std::function<bool(const std::string&)>& ready) {
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC));
  ::inotify_add_watch(watch.get(), path.c_str(), IN_MODIFY);
  const SystemClock clock;
  const auto end = clock.monotonic() + most;
  while (clock.monotonic() < end) {
    const auto text = readFile(path);
    if (text.ok() && ready(*text)) return true;
    pollfd fd{watch.get(), POLLIN, 0};
    char events[4096];
    if (::poll(&fd, 1, 500) > 0 && ::read(watch.get(), events, sizeof events) < 0) return false;
  }
  return false;
}

void Installation::start() {
  const UniqueFd out(::open(at("log").c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  const auto before = log().size();
  auto what = spec({"standalone", "--data-dir", at("data"), "--port", "0"});
  what.fds = {{1, out.get()}, {2, out.get()}};
  what.dieWithParent = true;
  auto process = Process::spawn(what);
  ASSERT_TRUE(process.ok()) << process.error().message;
  process_.emplace(std::move(*process));
  const bool serving = untilLog(at("log"), 30s, [&](const std::string& text) {
    const auto status = process_->wait(Duration(0));
    return text.find("serving on ", before) != std::string::npos || (status.ok() && *status);
  });
  ASSERT_TRUE(serving && log().find("serving on ", before) != std::string::npos) << log();
  auto access = kube::loadKubeconfig(at("data/kubeconfig"), "");
  ASSERT_TRUE(access.ok()) << access.error().message;
  auto api = kube::HttpApi::make(std::move(*access), clock_);
  ASSERT_TRUE(api.ok()) << api.error().message;
  api_ = std::move(*api);
}

int Installation::stop() {
  (void)process_->kill(SIGTERM).ok();
  auto status = process_->wait(30s);
  if (!status.ok() || !*status) {
    ADD_FAILURE() << "standalone did not end within 30 s of SIGTERM";
    kill();
    return -1;
  }
  process_.reset();
  return (*status)->code;
}

void Installation::kill() {
  (void)process_->kill(SIGKILL).ok();
  (void)process_->wait(Duration(-1)).ok();
  process_.reset();
}

RunOutput Installation::godwit(std::vector<std::string> arguments, std::string_view input) const {
  auto output = runProcess(spec(std::move(arguments)), input, 60s);
  EXPECT_TRUE(output.ok()) << output.error().message;
  return output.ok() ? std::move(*output) : RunOutput{};
}

RunOutput Installation::standalone(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "standalone");
  return godwit(std::move(arguments));
}

void Installation::apply(const std::string& yaml) {
  std::ofstream(at("manifest.yaml"), std::ios::trunc) << yaml;
  const auto done = godwit({"apply", "-f", at("manifest.yaml")});
  ASSERT_TRUE(done.status.success()) << done.out << done.err << yaml;
}

void Installation::hostVolume(const std::string& ns, const std::string& claim, const std::string& dir) {
  apply(fmt::format(R"(apiVersion: v1
kind: PersistentVolume
metadata: {{name: "{0}-{1}"}}
spec:
  capacity: {{storage: 1Gi}}
  accessModes: [ReadWriteOnce]
  hostPath: {{path: "{2}"}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: "{1}", namespace: "{0}"}}
spec:
  storageClassName: ""
  volumeName: "{0}-{1}"
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 1Gi}}}}
)",
                    ns, claim, dir));
}

std::string Installation::poolVolume(const std::string& ns, const std::string& claim) {
  apply(fmt::format(
      R"({{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {{"name": "{}", "namespace": "{}"}},
    "spec": {{"storageClassName": "my-sc", "accessModes": ["ReadWriteOnce"], "resources": {{"requests": {{"storage": "1Gi"}}}}}}}})",
      claim, ns));
  const auto bound = until(kube::resources::kPersistentVolumeClaims, {ns, claim},
                           [](const Json& pvc) { return text(pvc, "status", "phase") == "Bound"; });
  const auto volume = api_->get(kube::resources::kPersistentVolumes, {"", text(bound, "spec", "volumeName")});
  if (!volume.ok()) return ADD_FAILURE() << volume.error().message, "";
  const auto path = text(*volume, "spec", "hostPath", "path");
  return path.empty() ? text(*volume, "spec", "local", "path") : path;
}

Json Installation::until(const kube::ResourceType& type, const kube::NamespacedName& key, const Condition& condition,
                         Duration most) {
  kube::WatchOptions options;
  options.ns = key.ns;
  options.fieldSelector = "metadata.name=" + key.name;
  auto watch = api_->watch(type, options);
  Json last;
  const auto end = clock_.monotonic() + most;
  while (watch.ok() && clock_.monotonic() < end) {
    auto event = (*watch)->next(500ms);
    if (!event.ok()) {
      watch = api_->watch(type, options);
      continue;
    }
    if (!*event || (*event)->type == kube::WatchEvent::Type::Bookmark) continue;
    last = (*event)->object;
    if ((*event)->type != kube::WatchEvent::Type::Deleted && condition(last)) return last;
  }
  ADD_FAILURE() << type.kind << " " << key.str() << " is not as waited for: " << last.dump(1) << "\n" << log();
  return {};
}

void Installation::untilLink(const std::string& link) const {
  const auto dir = fs::path(link).parent_path();
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC));
  const auto end = clock_.monotonic() + 20s;
  while (clock_.monotonic() < end) {
    // The directory may not be there yet; its nearest ancestor tells when something appears below it.
    auto above = dir;
    while (!fs::exists(above)) above = above.parent_path();
    ::inotify_add_watch(watch.get(), above.c_str(), IN_CREATE | IN_MOVED_TO);
    if (fs::exists(link)) return;
    pollfd fd{watch.get(), POLLIN, 0};
    char events[4096];
    if (::poll(&fd, 1, 500) > 0 && ::read(watch.get(), events, sizeof events) < 0) break;
  }
  ADD_FAILURE() << link << " does not appear\n" << log();
}

void Installation::untilNone(const kube::ResourceType& type, const std::string& prefix) {
  auto watch = api_->watch(type, {});
  const auto end = clock_.monotonic() + 60s;
  while (watch.ok() && clock_.monotonic() < end) {
    const auto all = api_->list(type, {});
    const bool none = all.ok() && std::all_of(all->items.begin(), all->items.end(), [&](const Json& object) {
                        const auto name = text(object, "metadata", "name");
                        return name == "kubernetes" || !name.starts_with(prefix);
                      });
    if (none) return;
    (void)(*watch)->next(500ms).ok();
  }
  ADD_FAILURE() << "there still are " << type.plural << "\n" << log();
}

// pid -> parent and command line, of all processes of the machine.
static std::map<pid_t, std::pair<pid_t, std::string>> processes() {
  std::map<pid_t, std::pair<pid_t, std::string>> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0) continue;
    const auto stat = readFile(entry.path() / "stat"), command = readFile(entry.path() / "cmdline");
    if (!stat.ok() || !command.ok()) continue;
    pid_t parent = 0;
    char state = 0;
    const auto close = stat->rfind(')');
    if (close == std::string::npos || std::sscanf(stat->c_str() + close + 1, " %c %d", &state, &parent) != 2) continue;
    std::string words = *command;
    std::replace(words.begin(), words.end(), '\0', ' ');
    out[pid] = {parent, words};
  }
  return out;
}

std::vector<pid_t> Installation::children(const std::vector<std::string>& words) const {
  std::vector<pid_t> out;
  if (!process_) return out;
  const auto all = processes();
  for (const auto& [pid, what] : all) {
    bool ours = false;
    for (auto at = what.first; !ours && all.contains(at) && at > 1; at = all.at(at).first) ours = at == process_->pid();
    const bool matches = std::all_of(words.begin(), words.end(),
                                     [&](const auto& word) { return what.second.find(word) != std::string::npos; });
    if (ours && matches) out.push_back(pid);
  }
  return out;
}

void Installation::end(pid_t child) const {
  const auto still = children({});
  if (std::find(still.begin(), still.end(), child) != still.end()) ::kill(child, SIGKILL);
}

std::string conditionMessage(const Json& object, const char* type) {
  const auto* conditions = find(object, "status", "conditions");
  if (!conditions || !conditions->is_array()) return {};
  for (const auto& condition : *conditions) {
    if (text(condition, "type") == type) return text(condition, "message");
  }
  return {};
}

}  // namespace godwit::e2e
