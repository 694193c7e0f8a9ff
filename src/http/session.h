// The server's side of one connection: request after request until somebody has enough.
#pragma once
#include <stop_token>
#include <string>

#include "http/connection.h"
#include "http/parser.h"
#include "http/server.h"

namespace godwit::http {

// Told of streams, so that one thread can watch all their sockets for clients that leave.
class StreamMonitor {
 public:
  virtual ~StreamMonitor() = default;
  virtual void streamBegan(int fd, const std::stop_source& stop) = 0;
  virtual void streamEnded(int fd) = 0;
};

class Session {
 public:
  Session(Connection& connection, const Limits& limits, std::string peer, int wake, StreamMonitor& monitor);
  void run(const Handler& handler, const BodyWanted& wanted);
  void refuse(int status, std::string_view message);  // answers without having read anything, and closes

 private:
  enum class Received { Nothing, Head, Whole };  // Nothing: close, whatever had to be said is said
  Received receive(RequestParser& parser, const BodyWanted& wanted);
  bool answer(const Handler& handler, RequestParser& parser, Received received);
  void close();
  Result<std::size_t> fill(const Patience& patience);

  Connection& connection_;
  const Limits& limits_;
  const std::string peer_;
  const int wake_;
  StreamMonitor& monitor_;
  std::string pending_;  // read, not yet parsed
};

}  // namespace godwit::http
