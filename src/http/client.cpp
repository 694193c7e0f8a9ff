#include "http/client.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "http/dial.h"
#include "http/parser.h"
#include "http/tls_context.h"

namespace godwit::http {

namespace {

constexpr std::size_t kReadSize = 16 << 10;
constexpr std::size_t kBodyLimit = 256u << 20;
constexpr std::size_t kIdleConnections = 8;
constexpr Duration kConnect = std::chrono::seconds(10);

class Pool {
 public:
  std::optional<Connection> take() {
    std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
      Connection connection = std::move(idle_.back());
      idle_.pop_back();
      // Bytes or an end on an idle connection: the server has closed it.
      pollfd at{connection.fd(), POLLIN, 0};
      if (!connection.buffered() && ::poll(&at, 1, 0) == 0) return connection;
    }
    return std::nullopt;
  }
  void give(Connection connection) {
    std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleConnections) idle_.push_back(std::move(connection));
  }

 private:
  std::mutex mutex_;
  std::vector<Connection> idle_;
};

// One request sent on one connection, and the answer as it comes.
struct Exchange {
  Exchange(Connection c, const Call& call, std::size_t bodyBytes)
      : connection(std::move(c)), parser(call.method == "HEAD", bodyBytes) {}

  // Reads once and parses. False at the end of the message.
  Result<bool> advance(const Patience& patience) {
    if (parser.done()) return false;
    if (pending.empty() || stuck) {
      const auto before = pending.size();
      pending.resize(before + kReadSize);
      auto got = connection.read(pending.data() + before, kReadSize, patience);
      pending.resize(before + (got ? *got : 0));
      if (!got) return got.error();
      if (*got == 0) {
        closed = true;
        GODWIT_TRY(parser.end());
        return false;
      }
      any = true;
    }
    GODWIT_ASSIGN(const std::size_t used, parser.put(pending));
    pending.erase(0, used);
    stuck = used == 0;
    if (pending.empty()) std::string().swap(pending);  // a silent watch holds no buffer
    return true;
  }

  bool reusable() const { return parser.done() && parser.keepAlive() && !closed && pending.empty(); }

  Connection connection;
  ResponseParser parser;
  std::string pending;
  bool stuck = false;  // what is pending is not enough to go on
  bool closed = false;
  bool any = false;  // the server has said something
};

Answer headOf(const ResponseParser& parser) {
  Answer answer;
  answer.status = parser.status();
  for (const auto& [name, value] : parser.headers()) {
    std::string lower = name;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const auto [known, fresh] = answer.headers.emplace(std::move(lower), value);
    if (!fresh) known->second += ", " + std::string(value);  // RFC 9110, 5.3
  }
  return answer;
}

class StreamImpl final : public Stream {
 public:
  StreamImpl(Exchange exchange, UniqueFd wake, std::string what)
      : exchange_(std::move(exchange)),
        head_(headOf(exchange_.parser)),
        wake_(std::move(wake)),
        what_(std::move(what)) {}

  const Answer& head() const override { return head_; }

  Result<std::optional<std::string>> read(std::chrono::milliseconds timeout) override {
    const Patience patience = Patience::of(timeout, wake_.get());
    for (;;) {
      if (cancelled_) return Error{Errc::Cancelled, what_ + ": cancelled"};
      if (auto bytes = exchange_.parser.takeBody(); !bytes.empty()) return std::optional(std::move(bytes));
      if (ended_) return Error{Errc::Unavailable, what_ + ": the stream has ended"};
      const auto more = exchange_.advance(patience);
      if (more.is(Errc::Timeout)) return std::optional<std::string>();
      if (!more) return Error{more.error().code, what_ + ": " + more.error().message};
      ended_ = !*more;
    }
  }

  void cancel() override {
    cancelled_ = true;
    const std::uint64_t one = 1;
    if (::write(wake_.get(), &one, sizeof one) < 0) return;  // a full counter is readable already
  }

 private:
  Exchange exchange_;
  const Answer head_;
  const UniqueFd wake_;
  const std::string what_;
  std::atomic<bool> cancelled_ = false;
  bool ended_ = false;
};

}  // namespace

struct Client::Impl {
  Url url;
  std::string serverName;
  TlsContext tls;  // null: plain
  Pool pool;

  // Sends and waits for the answer's header; again on a fresh connection where that is safe.
  Result<Exchange> start(const Call& call, std::size_t bodyBytes, const Patience& patience) {
    const bool repeatable = call.method == "GET" || call.method == "HEAD";
    if (auto kept = pool.take()) {
      Exchange exchange(std::move(*kept), call, bodyBytes);
      const auto sent = begin(exchange, call, patience);
      if (sent.ok()) return exchange;
      if (!repeatable || exchange.any || !sent.is(Errc::Unavailable)) return about(call, sent.error());
    }
    auto connection = connect(patience);
    if (!connection) return about(call, connection.error());
    Exchange exchange(std::move(*connection), call, bodyBytes);
    if (const auto sent = begin(exchange, call, patience); !sent) return about(call, sent.error());
    return exchange;
  }

  Result<void> begin(Exchange& exchange, const Call& call, const Patience& patience) const {
    GODWIT_TRY(exchange.connection.write(wire(call), patience));
    while (!exchange.parser.headerDone()) {
      GODWIT_ASSIGN(const bool more, exchange.advance(patience));
      if (!more && !exchange.parser.headerDone()) return Error{Errc::Unavailable, "no answer"};
    }
    return {};
  }

  Result<Connection> connect(const Patience& patience) const {
    const Patience soon{std::min(patience.until, Patience::of(kConnect).until), patience.wake};
    GODWIT_ASSIGN(auto connection, dial(url.host, url.port, soon));
    if (tls) GODWIT_TRY(connection.connectTls(tls, serverName, soon));
    return connection;
  }

  std::string wire(const Call& call) const {
    std::string out =
        fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: godwit/{}\r\n", call.method, url.path,
                    call.target.empty() && url.path.empty() ? "/" : call.target, url.authority(), GODWIT_VERSION);
    for (const auto& [name, value] : call.headers) out += fmt::format("{}: {}\r\n", name, value);
    if (!call.body.empty() || call.method == "POST" || call.method == "PUT" || call.method == "PATCH") {
      out += fmt::format("Content-Length: {}\r\n", call.body.size());
    }
    return out + "\r\n" + call.body;
  }

  std::string describe(const Call& call) const {
    return fmt::format("{} {}{}", call.method, url.authority(), call.target.substr(0, call.target.find('?')));
  }
  Error about(const Call& call, const Error& error) const {
    return {error.code, describe(call) + ": " + error.message};
  }
};

Result<std::unique_ptr<Client>> Client::make(Url url, ClientTls tls) {
  auto impl = std::make_unique<Impl>();
  if (url.tls) {
    GODWIT_ASSIGN(impl->tls, clientContext(tls));
  }
  impl->serverName = tls.serverName.empty() ? url.host : tls.serverName;
  impl->url = std::move(url);
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<Answer> Client::send(const Call& call) {
  const Patience patience = Patience::of(call.timeout);
  GODWIT_ASSIGN(auto exchange, impl_->start(call, kBodyLimit, patience));
  for (;;) {
    const auto more = exchange.advance(patience);
    if (!more) return impl_->about(call, more.error());
    if (!*more) break;
  }
  Answer answer = headOf(exchange.parser);
  answer.body = exchange.parser.takeBody();
  if (exchange.reusable()) impl_->pool.give(std::move(exchange.connection));
  return answer;
}

Result<std::unique_ptr<Stream>> Client::open(const Call& call) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return errnoError("eventfd");
  GODWIT_ASSIGN(auto exchange, impl_->start(call, 0, Patience::of(call.timeout)));
  return std::unique_ptr<Stream>(
      std::make_unique<StreamImpl>(std::move(exchange), std::move(wake), impl_->describe(call)));
}

}  // namespace godwit::http
