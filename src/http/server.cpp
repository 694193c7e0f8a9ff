#include "http/server.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <condition_variable>
#include <list>
#include <map>
#include <mutex>

#include "base/log.h"
#include "base/thread.h"
#include "http/listener.h"
#include "http/session.h"
#include "http/tls_context.h"

namespace godwit::http {

namespace {

// A handler may parse deep JSON and run SQL; untouched pages cost nothing.
constexpr std::size_t kStack = 1 << 20;

}  // namespace

struct Server::State final : StreamMonitor {
  UniqueFd listener, wake, epoll;
  std::uint16_t port = 0;
  TlsContext tls;  // with the mutex held
  Limits limits;
  Handler handler;
  BodyWanted bodyWanted;
  std::optional<Thread> acceptor;

  std::mutex mutex;
  std::condition_variable ended;
  std::list<std::optional<Thread>> connections;  // each one's own thread
  std::optional<Thread> last;                    // of a connection that has ended: see finished()
  bool stopping = false;
  std::map<int, std::stop_source> streams;  // by socket

  void acceptLoop();
  void acceptAll();
  void admit(UniqueFd socket, std::string peer);
  void serve(UniqueFd socket, const std::string& peer);
  void streamBegan(int fd, const std::stop_source& stop) override;
  void streamEnded(int fd) override;
  void streamBroke(int fd);
  void finished(std::list<std::optional<Thread>>::iterator own);
};

void Server::State::streamBegan(int fd, const std::stop_source& stop) {
  std::lock_guard lock(mutex);
  streams.emplace(fd, stop);
  epoll_event event{EPOLLRDHUP | EPOLLONESHOT, {.fd = fd}};
  if (stopping || ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) std::stop_source(stop).request_stop();
}

void Server::State::streamEnded(int fd) {
  std::lock_guard lock(mutex);
  streams.erase(fd);
  ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Server::State::streamBroke(int fd) {
  std::stop_source stop(std::nostopstate);
  {
    std::lock_guard lock(mutex);
    if (const auto it = streams.find(fd); it != streams.end()) stop = it->second;
  }
  stop.request_stop();  // runs the handlers' callbacks: never under our lock
}

void Server::State::acceptLoop() {
  epoll_event events[16];
  for (;;) {
    const int count = ::epoll_wait(epoll.get(), events, 16, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == wake.get()) return;
      if (events[i].data.fd == listener.get()) {
        acceptAll();
      } else {
        streamBroke(events[i].data.fd);
      }
    }
  }
}

void Server::State::acceptAll() {
  for (;;) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    UniqueFd socket(
        ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.valid()) {
      admit(std::move(socket), addressText(address));
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
      log::warn("http", "accept: {}; connections wait", errnoError("out of resources").message);
      ::usleep(50'000);  // nothing tells when a descriptor becomes free again
      return;
    }
  }
}

void Server::State::admit(UniqueFd socket, std::string peer) {
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto shared = std::make_shared<UniqueFd>(std::move(socket));
  std::lock_guard lock(mutex);  // until the thread is in its place
  // A few more than allowed get a thread just to be told so; then only a closed door.
  if (stopping || connections.size() >= limits.connections + 16) return;
  const auto own = connections.emplace(connections.end());
  auto thread = Thread::start(
      [this, own, shared, peer = std::move(peer)] {
        serve(std::move(*shared), peer);
        finished(own);
      },
      kStack);
  if (thread) {
    own->emplace(std::move(*thread));
  } else {
    log::warn("http", "{}", thread.error().message);
    connections.erase(own);
  }
}

void Server::State::serve(UniqueFd socket, const std::string& peer) {
  bool full = false;
  TlsContext current;
  {
    std::lock_guard lock(mutex);
    full = connections.size() > limits.connections;
    current = tls;
  }
  Connection connection(std::move(socket));
  if (current) {
    const auto shaken = connection.acceptTls(current, Patience::of(limits.handshake, wake.get()));
    if (!shaken) return log::debug("http", "{}: {}", peer, shaken.error().message);
  }
  Session session(connection, limits, peer, wake.get(), *this);
  if (full) return session.refuse(503, "too many connections; try again later");
  session.run(handler, bodyWanted);
}

// Whoever ends waits for whoever ended before: so no thread is forgotten, stop() has one to wait for, and a thread's
// own data (OpenSSL's, say) is gone before the server is.
void Server::State::finished(std::list<std::optional<Thread>>::iterator own) {
  std::optional<Thread> before;
  std::lock_guard lock(mutex);
  before = std::exchange(last, std::move(*own));
  connections.erase(own);
  ended.notify_all();
}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Handler handler) {
  auto state = std::make_unique<State>();
  state->limits = options.limits;
  state->handler = std::move(handler);
  state->bodyWanted = options.bodyWanted;
  if (options.tls) {
    GODWIT_ASSIGN(state->tls, serverContext(*options.tls));
  }
  GODWIT_ASSIGN(state->listener, listenOn(options.address, options.port));
  GODWIT_ASSIGN(state->port, boundPort(state->listener.get()));
  state->wake = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  state->epoll = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!state->wake.valid() || !state->epoll.valid()) return errnoError("start an HTTP server");
  for (const int fd : {state->listener.get(), state->wake.get()}) {
    epoll_event event{EPOLLIN, {.fd = fd}};
    if (::epoll_ctl(state->epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) return errnoError("start an HTTP server");
  }
  GODWIT_ASSIGN(auto acceptor, Thread::start([raw = state.get()] { raw->acceptLoop(); }));
  state->acceptor.emplace(std::move(acceptor));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() {
  stop();
}

std::uint16_t Server::port() const {
  return state_->port;
}

Result<void> Server::renew(const Identity& identity) {
  GODWIT_ASSIGN(auto fresh, serverContext(identity));
  std::lock_guard lock(state_->mutex);
  state_->tls = std::move(fresh);
  return {};
}

void Server::stop() {
  std::map<int, std::stop_source> streams;
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    streams = state_->streams;
  }
  const std::uint64_t one = 1;
  if (::write(state_->wake.get(), &one, sizeof one) < 0) log::error("http", "{}", errnoError("stop").message);
  if (state_->acceptor) state_->acceptor->join();
  for (auto& [fd, stop] : streams) stop.request_stop();
  std::optional<Thread> last;
  {
    std::unique_lock lock(state_->mutex);
    state_->ended.wait(lock, [this] { return state_->connections.empty(); });
    last = std::exchange(state_->last, std::nullopt);
  }
  last.reset();  // joined
  state_->listener.reset();
}

}  // namespace godwit::http
