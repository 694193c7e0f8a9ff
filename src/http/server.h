// A small HTTP/1.1 server: a thread per connection, keep-alive, TLS, bounded in all directions. Peers are hostile:
// whatever they send, or fail to send, ends in a status code or a closed connection.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"
#include "http/tls.h"

namespace godwit::http {

struct Limits {
  std::size_t connections = 256;  // more are told 503
  std::size_t headerBytes = 64 << 10;
  std::size_t bodyBytes = 3 << 20;  // more is told 413
  Duration handshake = std::chrono::seconds(10);
  Duration header = std::chrono::seconds(10);  // from the first byte to the end of the header
  Duration body = std::chrono::seconds(30);
  Duration idle = std::chrono::seconds(90);   // between requests
  Duration write = std::chrono::seconds(30);  // a client that takes nothing for so long is gone
};

// Whether the body that follows this head is worth reading. When not, the handler sees a request without one and the
// connection ends with its answer: who may not write here cannot fill the memory either.
using BodyWanted = std::function<bool(const Request& head)>;

struct ServerOptions {
  std::string address = "127.0.0.1";  // an IP literal; "::" for all
  std::uint16_t port = 0;             // 0: any free one
  std::optional<Identity> tls;        // absent: plain
  Limits limits;
  BodyWanted bodyWanted;  // absent: every body is
};

// The answer to one request: either send() once, or startStream() and any number of write(). Used by the handler's
// thread only, except closed().
class ResponseWriter {
 public:
  virtual ~ResponseWriter() = default;
  // Content-Length, Date and Connection are added. For HEAD the body is counted, not sent. A second answer is ignored.
  virtual void send(int status, const Headers& headers, std::string_view body) = 0;
  // Chunked until the handler returns. False when the client is gone.
  virtual bool startStream(int status, const Headers& headers) = 0;
  virtual bool write(std::string_view chunk) = 0;
  // Requested once the client of a started stream has gone (half-closing counts), or the server stops. Give it a
  // std::stop_callback that wakes whatever the handler waits on; the callback runs on the server's thread and must be
  // short.
  virtual std::stop_token closed() const = 0;
};

// Runs on the connection's thread (1 MiB stack), many at once. Must return soon after closed() is requested.
using Handler = std::function<void(const Request& request, ResponseWriter& out)>;

class Server {
 public:
  // Listens when it returns. Invalid: address, certificate or key; Io: the port (message names it).
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Handler handler);
  ~Server();  // stop()

  std::uint16_t port() const;
  // Connections that come from now on see this certificate. Invalid: as with start, and the old one stays. Only for a
  // server that was started with TLS.
  Result<void> renew(const Identity& identity);
  void stop();  // no new connections, running streams are told, idle connections closed; returns when all have ended,
                // threads included

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace godwit::http
