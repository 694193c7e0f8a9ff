// One byte stream, plain or TLS, never blocking longer than told. Shared by server and client.
#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace godwit::http {

// Until when to wait, and a descriptor that becomes readable when waiting is pointless (-1: none).
struct Patience {
  std::chrono::steady_clock::time_point until;
  int wake = -1;
  static Patience of(Duration duration, int wake = -1) { return {std::chrono::steady_clock::now() + duration, wake}; }
};

// Readable, writable or both (poll's bits). Timeout, Cancelled (wake), or nothing.
Result<void> waitFor(int fd, short events, const Patience& patience);

using TlsContext = std::shared_ptr<ssl_ctx_st>;

class Connection {
 public:
  explicit Connection(UniqueFd fd);  // made non-blocking
  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;

  Result<void> acceptTls(const TlsContext& context, const Patience& patience);
  // `name` is verified against the certificate: a DNS name or an IP literal; empty: not verified.
  Result<void> connectTls(const TlsContext& context, const std::string& name, const Patience& patience);

  // At least one byte, or 0 when the peer has closed. Unavailable when broken.
  Result<std::size_t> read(char* buffer, std::size_t size, const Patience& patience);
  Result<void> write(std::string_view data, const Patience& patience);
  bool buffered() const;  // decrypted bytes are waiting
  void shutdown();        // says goodbye once, does not wait
  int fd() const { return fd_.get(); }

 private:
  Result<void> startTls(const TlsContext& context);
  template <class Call>
  Result<int> drive(Call call, const char* what, const Patience& patience);

  UniqueFd fd_;
  std::shared_ptr<ssl_st> tls_;
};

}  // namespace godwit::http
