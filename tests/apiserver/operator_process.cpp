#include "apiserver/operator_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "apiserver/apiserver.h"

namespace godwit::apiserver {

using namespace std::chrono_literals;

namespace {

// "...: probes on port 1, metrics on port 2"
bool readPorts(const std::string& log, std::uint16_t& probes, std::uint16_t& metrics) {
  const auto at = log.find("probes on port ");
  return at != std::string::npos &&
         std::sscanf(log.c_str() + at, "probes on port %hu, metrics on port %hu", &probes, &metrics) == 2;
}

Result<http::Answer> get(bool tls, std::uint16_t port, const std::string& path, const std::string& token = {}) {
  GODWIT_ASSIGN(auto client,
                http::Client::make({.tls = tls, .host = "127.0.0.1", .port = port, .path = {}}, {.insecure = true}));
  http::Call call{.target = path, .headers = {}, .body = {}};
  if (!token.empty()) call.headers.emplace_back("Authorization", "Bearer " + token);
  return client->send(call);
}

}  // namespace

Result<std::unique_ptr<OperatorProcess>> OperatorProcess::start(const std::string& kubeconfig, const std::string& log,
                                                                std::vector<std::string> arguments,
                                                                std::vector<std::string> wrapper) {
  ProcessSpec spec;
  spec.argv = std::move(wrapper);
  spec.argv.insert(spec.argv.end(),
                   {GODWIT_BINARY, "operator", "--kubeconfig", kubeconfig, "--health-probe-bind-address", "127.0.0.1:0",
                    "--metrics-bind-address", "127.0.0.1:0"});
  if (std::find(arguments.begin(), arguments.end(), "--metrics-secure") == arguments.end())
    spec.argv.emplace_back("--metrics-secure=false");
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  const UniqueFd out(::open(log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!out.valid()) return errnoError(log);
  std::ifstream before(log, std::ios::ate);
  const auto skip = static_cast<std::size_t>(before.tellg());
  spec.fds = {{1, out.get()}, {2, out.get()}};
  spec.dieWithParent = true;
  const UniqueFd grows(::inotify_init1(IN_CLOEXEC));
  ::inotify_add_watch(grows.get(), log.c_str(), IN_MODIFY);
  GODWIT_ASSIGN(auto process, Process::spawn(spec));
  auto made = std::unique_ptr<OperatorProcess>(new OperatorProcess(std::move(process)));
  made->log_ = log;
  while (!readPorts(made->log().substr(skip), made->probes_, made->metrics_)) {
    GODWIT_ASSIGN(const auto ended, made->process_.wait(Duration(0)));
    if (ended) return Error{Errc::Internal, "godwit operator ended: " + made->log().substr(skip)};
    pollfd waits[] = {{grows.get(), POLLIN, 0}, {made->process_.pidfd(), POLLIN, 0}};
    char events[4096];
    if (::poll(waits, 2, 30'000) <= 0) return Error{Errc::Timeout, "godwit operator does not listen"};
    if (waits[0].revents && ::read(grows.get(), events, sizeof events) < 0) return errnoError("inotify");
  }
  return made;
}

OperatorProcess::~OperatorProcess() {
  kill();
}

void OperatorProcess::kill() {
  if (process_.kill(SIGKILL)) (void)process_.wait(30s);
}

Result<int> OperatorProcess::stop() {
  GODWIT_TRY(process_.kill(SIGTERM));
  GODWIT_ASSIGN(const auto ended, process_.wait(30s));
  if (!ended) return Error{Errc::Timeout, "godwit operator does not end"};
  return ended->code;
}

std::string OperatorProcess::log() const {
  const auto text = readFile(log_, 64 << 20);
  return text.ok() ? *text : std::string();
}

Result<http::Answer> OperatorProcess::probe(const std::string& path) const {
  return get(false, probes_, path);
}

Result<http::Answer> OperatorProcess::scrape(bool tls, const std::string& token) const {
  return get(tls, metrics_, "/metrics", token);
}

Result<std::map<std::string, std::int64_t>> OperatorProcess::requests() const {
  GODWIT_ASSIGN(const auto answer, scrape());
  std::istringstream text(answer.body);
  std::map<std::string, std::int64_t> out;
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("godwit_api_requests_total{")) continue;
    const auto value = [&](const std::string& label) {
      const auto from = line.find(label + "=\"") + label.size() + 2;
      return line.substr(from, line.find('"', from) - from);
    };
    if (value("resource") != "events")
      out[value("verb") + " " + value("resource")] += std::stoll(line.substr(line.rfind(' ')));
  }
  return out;
}

Duration OperatorProcess::cpuTime() const {
  return cpuTimeOf(pid());
}

std::int64_t OperatorProcess::residentKiB() const {
  std::ifstream file("/proc/" + std::to_string(pid()) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  }
  return 0;
}

std::int64_t total(const std::map<std::string, std::int64_t>& requests) {
  std::int64_t sum = 0;
  for (const auto& [what, count] : requests) sum += count;
  return sum;
}

std::map<std::string, std::int64_t> since(const std::map<std::string, std::int64_t>& before,
                                          const std::map<std::string, std::int64_t>& after) {
  auto out = after;
  for (const auto& [what, count] : before) out[what] -= count;
  std::erase_if(out, [](const auto& each) { return each.second == 0; });
  return out;
}

}  // namespace godwit::apiserver
