// An HTTP/1.1 client for one server: keep-alive connections, TLS, deadlines, and streamed answers that another thread
// can cancel.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/url.h"

namespace godwit::http {

struct ClientTls {
  std::string caPem;            // empty: the system's
  std::string certPem, keyPem;  // client certificate with its chain, or empty
  std::string serverName;       // for SNI and verification; empty: the URL's host
  bool insecure = false;        // do not verify
};

struct Call {
  std::string method = "GET";
  std::string target;  // path and query, percent-encoded; appended to the URL's path
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Duration timeout = std::chrono::seconds(30);  // from connect to the answer's last byte; for streams to its header
};

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // at most 256 MiB
};

// The body of an answer as it arrives.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual const Answer& head() const = 0;  // status and headers; no body
  // What has arrived, at least one byte. nullopt: nothing within `timeout`. Unavailable: the body has ended or the
  // connection broke. Cancelled: after cancel().
  virtual Result<std::optional<std::string>> read(std::chrono::milliseconds timeout) = 0;
  virtual void cancel() = 0;  // any thread; wakes read()
};

class Client {
 public:
  // Invalid: certificates or keys that do not parse. Connects to nobody yet.
  static Result<std::unique_ptr<Client>> make(Url url, ClientTls tls);
  ~Client();

  // Unavailable: refused, unreachable, broken. Timeout. Unauthorized: the server's certificate is not trusted. Invalid:
  // what came is no HTTP. Any status is an answer. From any thread. A GET or HEAD that meets a kept connection which
  // the server has just closed is sent once more.
  Result<Answer> send(const Call& call);
  Result<std::unique_ptr<Stream>> open(const Call& call);

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::http
