// Incremental HTTP/1.1 parsers: bytes in as they arrive, a message out. The only place that knows Beast.
#pragma once
#include <memory>
#include <string_view>

#include "http/message.h"

namespace godwit::http {

class RequestParser {
 public:
  RequestParser(std::size_t headerBytes, std::size_t bodyBytes);
  ~RequestParser();

  // Takes what it can use of `data` and says how many bytes that were; the rest is to be offered again, with more.
  // Invalid: malformed or too large; status() then says what to answer.
  Result<std::size_t> put(std::string_view data);
  bool headerDone() const;
  bool done() const;
  bool wantsContinue() const;  // the client waits for "100 Continue" before it sends the body
  bool keepAlive() const;
  bool chunks() const;           // HTTP/1.1: understands a chunked answer
  int status() const;            // 400, 413, 431 or 505 after an error
  Result<Request> head() const;  // when headerDone(); without body and peer. Invalid: the target makes no sense
  Result<Request> take();        // once, when done(); without peer. Invalid: as head()

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class ResponseParser {
 public:
  // `toHead`: the answer to HEAD has no body, whatever its header says. bodyBytes 0: no limit (take it as it comes).
  ResponseParser(bool toHead, std::size_t bodyBytes);
  ResponseParser(ResponseParser&&) noexcept;
  ~ResponseParser();

  Result<std::size_t> put(std::string_view data);
  Result<void> end();  // the peer closed: fine for a body without length, Unavailable for a truncated message
  bool headerDone() const;
  bool done() const;
  bool keepAlive() const;
  int status() const;
  Headers headers() const;
  std::string takeBody();  // what has arrived since the last call

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::http
