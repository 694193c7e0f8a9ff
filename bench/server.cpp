#include "bench/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include <fmt/core.h>

namespace godwit::bench {

namespace {

constexpr auto kPatience = std::chrono::minutes(2);

// What systemd gives a service to say READY=1 to: an event instead of asking again and again.
struct ReadySocket {
  UniqueFd fd;
  std::string path;

  static Result<ReadySocket> make(const std::filesystem::path& at) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (at.string().size() >= sizeof address.sun_path)
      return Error{Errc::Invalid, at.string() + ": too long for a socket; shorten GODWIT_BENCH_DIR"};
    std::strcpy(address.sun_path, at.c_str());
    ::unlink(at.c_str());
    UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return errnoError(at.string());
    const timeval patience{60, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return ReadySocket{std::move(fd), at.string()};
  }
  Result<void> wait() const {
    char buffer[256];
    const auto n = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (n <= 0) return Error{Errc::Timeout, "standalone did not say READY=1 within a minute"};
    return {};
  }
};

std::vector<std::string> environmentWith(const std::string& variable) {
  std::vector<std::string> out;
  for (char** at = ::environ; *at; ++at) out.emplace_back(*at);
  out.push_back(variable);
  return out;
}

}  // namespace

double scale() {
  const char* text = std::getenv("GODWIT_BENCH_SCALE");
  return text ? std::clamp(std::atof(text), 0.001, 10.0) : 1.0;
}

Directory::Directory() {
  const char* base = std::getenv("GODWIT_BENCH_DIR");
  if (!base) base = std::getenv("TMPDIR");
  std::string pattern = std::string(base ? base : "/var/tmp") + "/godwit-bench-XXXXXX";
  if (!::mkdtemp(pattern.data())) std::perror(pattern.c_str()), std::exit(1);
  path_ = pattern;
}

Directory::~Directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<std::unique_ptr<Server>> Server::start(const std::filesystem::path& dataDir) {
  const auto beside = dataDir.parent_path();
  GODWIT_ASSIGN(const auto ready, ReadySocket::make(beside / "ready"));
  const UniqueFd log(::open((beside / "standalone.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  ProcessSpec spec;
  spec.argv = {GODWIT_BINARY, "standalone", "--data-dir", dataDir.string(), "--port", "0"};
  spec.env = environmentWith("NOTIFY_SOCKET=" + ready.path);
  spec.fds = {{1, log.get()}, {2, log.get()}};
  spec.dieWithParent = true;
  GODWIT_ASSIGN(auto process, Process::spawn(spec));
  std::unique_ptr<Server> server(new Server(std::move(process)));
  GODWIT_TRY(ready.wait());
  GODWIT_ASSIGN(auto access, kube::loadKubeconfig(dataDir / "kubeconfig", ""));
  GODWIT_ASSIGN(server->api_, kube::HttpApi::make(std::move(access), server->clock_));
  GODWIT_TRY(server->api_->get(kube::resources::kNamespaces, {"", "default"}));
  return server;
}

Server::~Server() {
  (void)process_.kill(SIGTERM).ok();
  (void)process_.wait(Duration(-1)).ok();
}

Result<std::int64_t> Server::residentKiB() const {
  GODWIT_ASSIGN(const auto status, readFile(fmt::format("/proc/{}/status", process_.pid())));
  const auto at = status.find("VmRSS:");
  if (at == std::string::npos) return Error{Errc::NotFound, "no VmRSS: standalone has ended"};
  return std::atoll(status.c_str() + at + 6);
}

Result<Follower> Follower::open(kube::Api& api, const kube::ResourceType& type, const kube::NamespacedName& key) {
  kube::WatchOptions options;
  options.ns = key.ns;
  if (!key.name.empty()) options.fieldSelector = "metadata.name=" + key.name;
  Follower out;
  GODWIT_ASSIGN(out.watch_, api.watch(type, options));
  return out;
}

Result<Json> Follower::until(const std::function<bool(const Json&)>& satisfied, const std::string& what) {
  for (;;) {
    GODWIT_ASSIGN(const auto event, watch_->next(kPatience));
    if (!event) return Error{Errc::Timeout, "nothing happened for two minutes while waiting for " + what};
    if (event->type == kube::WatchEvent::Type::Bookmark || event->type == kube::WatchEvent::Type::Deleted) continue;
    if (satisfied(event->object)) return event->object;
  }
}

}  // namespace godwit::bench
