#include "http/connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include "http/tls_context.h"

namespace godwit::http {

Result<void> waitFor(int fd, short events, const Patience& patience) {
  for (;;) {
    const auto left = patience.until - std::chrono::steady_clock::now();
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    pollfd fds[2] = {{fd, events, 0}, {patience.wake, POLLIN, 0}};
    const int ready = ::poll(fds, 2, static_cast<int>(std::clamp<std::int64_t>(ms, 0, 1 << 30)));
    if (ready < 0 && errno != EINTR) return errnoError("poll");
    if (ready > 0 && fds[1].revents != 0) return Error{Errc::Cancelled, "told to stop"};
    if (ready > 0) return {};
    if (ready == 0 && ms <= 0) return Error{Errc::Timeout, "the other side did not answer in time"};
  }
}

static void ignoreFailure(int) {}

Connection::Connection(UniqueFd fd) : fd_(std::move(fd)) {
  ignoreFailure(::fcntl(fd_.get(), F_SETFL, ::fcntl(fd_.get(), F_GETFL) | O_NONBLOCK));
}

// Calls OpenSSL until it is content, waiting for what it asks for.
template <class Call>
Result<int> Connection::drive(Call call, const char* what, const Patience& patience) {
  for (;;) {
    ERR_clear_error();
    const int result = call();
    if (result > 0) return result;
    switch (SSL_get_error(tls_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        GODWIT_TRY(waitFor(fd_.get(), POLLIN, patience));
        break;
      case SSL_ERROR_WANT_WRITE:
        GODWIT_TRY(waitFor(fd_.get(), POLLOUT, patience));
        break;
      case SSL_ERROR_ZERO_RETURN:
        return 0;
      case SSL_ERROR_SYSCALL:
        return Error{Errc::Unavailable, std::string(what) + ": the connection broke"};
      default:
        return tlsError(what, tls_.get());
    }
  }
}

Result<void> Connection::startTls(const TlsContext& context) {
  tls_ = std::shared_ptr<SSL>(SSL_new(context.get()), SSL_free);
  BIO* bio = tls_ ? socketBio(fd_.get()) : nullptr;
  if (bio == nullptr) return Error{Errc::Internal, "TLS: out of memory"};
  SSL_set_bio(tls_.get(), bio, bio);
  return {};
}

Result<void> Connection::acceptTls(const TlsContext& context, const Patience& patience) {
  GODWIT_TRY(startTls(context));
  GODWIT_ASSIGN(const int done, drive([this] { return SSL_accept(tls_.get()); }, "TLS handshake", patience));
  if (done == 0) return Error{Errc::Unavailable, "TLS handshake: the client left"};
  return {};
}

Result<void> Connection::connectTls(const TlsContext& context, const std::string& name, const Patience& patience) {
  GODWIT_TRY(startTls(context));
  X509_VERIFY_PARAM* verify = SSL_get0_param(tls_.get());
  if (!name.empty() && X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str()) != 1) {
    ERR_clear_error();
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (X509_VERIFY_PARAM_set1_host(verify, name.c_str(), name.size()) != 1 ||
        SSL_set_tlsext_host_name(tls_.get(), name.c_str()) != 1) {
      return Error{Errc::Invalid, "TLS: \"" + name + "\" is no server name"};
    }
  }
  GODWIT_ASSIGN(const int done, drive([this] { return SSL_connect(tls_.get()); }, "TLS handshake", patience));
  if (done == 0) return Error{Errc::Unavailable, "TLS handshake: the server left"};
  return {};
}

Result<std::size_t> Connection::read(char* buffer, std::size_t size, const Patience& patience) {
  if (tls_) {
    const int most = static_cast<int>(std::min<std::size_t>(size, 1 << 20));
    GODWIT_ASSIGN(const int got, drive([&] { return SSL_read(tls_.get(), buffer, most); }, "read", patience));
    return static_cast<std::size_t>(got);
  }
  for (;;) {
    const auto got = ::recv(fd_.get(), buffer, size, 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EAGAIN) {
      GODWIT_TRY(waitFor(fd_.get(), POLLIN, patience));
    } else if (errno != EINTR) {
      return Error{Errc::Unavailable, errnoError("read").message};
    }
  }
}

Result<void> Connection::write(std::string_view data, const Patience& patience) {
  while (!data.empty()) {
    if (tls_) {
      const int most = static_cast<int>(std::min<std::size_t>(data.size(), 1 << 20));
      GODWIT_ASSIGN(const int sent, drive([&] { return SSL_write(tls_.get(), data.data(), most); }, "write", patience));
      if (sent == 0) return Error{Errc::Unavailable, "write: the connection is closed"};
      data.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    const auto sent = ::send(fd_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      data.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      GODWIT_TRY(waitFor(fd_.get(), POLLOUT, patience));
    } else if (errno != EINTR) {
      return Error{Errc::Unavailable, errnoError("write").message};
    }
  }
  return {};
}

bool Connection::buffered() const {
  return tls_ && SSL_pending(tls_.get()) > 0;
}

void Connection::shutdown() {
  if (tls_ && SSL_is_init_finished(tls_.get())) {
    ERR_clear_error();
    ignoreFailure(SSL_shutdown(tls_.get()));
  }
  ignoreFailure(::shutdown(fd_.get(), SHUT_WR));
}

}  // namespace godwit::http
