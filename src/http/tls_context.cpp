#include "http/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/socket.h>

namespace godwit::http {

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio memory(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

// A passphrase must never be asked for on the terminal.
int noPassphrase(char*, int, int, void*) {
  return 0;
}

Certificate nextCertificate(BIO* bio) {
  return {PEM_read_bio_X509(bio, nullptr, noPassphrase, nullptr), X509_free};
}

// RFC 7301: the length, then the name.
constexpr unsigned char kAlpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int selectAlpn(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned int size,
               void*) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, length, kAlpn, sizeof kAlpn, in, size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = found;
  return SSL_TLSEXT_ERR_OK;
}

Result<TlsContext> newContext(const SSL_METHOD* method) {
  TlsContext context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context) return Error{Errc::Internal, "TLS: out of memory"};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // HTTP's own framing tells a truncated message.
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

Result<void> useIdentity(SSL_CTX* context, const Identity& identity) {
  const Bio bio = memory(identity.certificate), keyBio = memory(identity.key);
  const Certificate leaf = nextCertificate(bio.get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    ERR_clear_error();
    return Error{Errc::Invalid, "TLS certificate: not PEM, or damaged"};
  }
  while (const Certificate chain = nextCertificate(bio.get())) SSL_CTX_add1_chain_cert(context, chain.get());
  ERR_clear_error();
  const Key key{PEM_read_bio_PrivateKey(keyBio.get(), nullptr, noPassphrase, nullptr), EVP_PKEY_free};
  if (!key) {
    ERR_clear_error();
    return Error{Errc::Invalid, "TLS key: not PEM, damaged or behind a passphrase (remove it with: openssl pkey)"};
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    ERR_clear_error();
    return Error{Errc::Invalid, "TLS key: it does not belong to the certificate"};
  }
  return {};
}

Result<void> trust(SSL_CTX* context, const std::string& authorities) {
  if (authorities.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  const Bio bio = memory(authorities);
  int found = 0;
  while (const Certificate authority = nextCertificate(bio.get())) {
    found += X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
  }
  ERR_clear_error();
  if (found == 0) return Error{Errc::Invalid, "certificate authority: no certificate in PEM form"};
  return {};
}

int bioWrite(BIO* bio, const char* data, int size) {
  const auto fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  const auto sent = ::send(fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bioRead(BIO* bio, char* data, int size) {
  const auto fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  const auto got = ::recv(fd, data, static_cast<std::size_t>(size), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

long bioControl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* socketMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    if (made == nullptr) return made;
    BIO_meth_set_write(made, bioWrite);
    BIO_meth_set_read(made, bioRead);
    BIO_meth_set_ctrl(made, bioControl);
    return made;
  }();
  return method;
}

}  // namespace

Result<TlsContext> serverContext(const Identity& identity) {
  GODWIT_ASSIGN(auto context, newContext(TLS_server_method()));
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);  // hundreds of strangers' idle connections hold none
  GODWIT_TRY(useIdentity(context.get(), identity));
  SSL_CTX_set_alpn_select_cb(context.get(), selectAlpn, nullptr);
  return context;
}

Result<TlsContext> clientContext(const ClientTls& options) {
  // A client's few connections keep their buffers: 17 kB anew for each read, and malloc would tidy up for each of them.
  GODWIT_ASSIGN(auto context, newContext(TLS_client_method()));
  if (!options.certPem.empty()) GODWIT_TRY(useIdentity(context.get(), {options.certPem, options.keyPem}));
  if (!options.insecure) {
    GODWIT_TRY(trust(context.get(), options.caPem));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof kAlpn);
  return context;
}

BIO* socketBio(int fd) {
  BIO_METHOD* method = socketMethod();
  BIO* bio = method != nullptr ? BIO_new(method) : nullptr;
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  return bio;
}

Error tlsError(const std::string& what, const SSL* tls) {
  const unsigned long queued = ERR_peek_error();
  ERR_clear_error();
  if (const long verified = tls ? SSL_get_verify_result(tls) : X509_V_OK; verified != X509_V_OK) {
    return {Errc::Unauthorized,
            what + ": the server's certificate is refused: " + X509_verify_cert_error_string(verified)};
  }
  const char* words = ERR_reason_error_string(queued);
  return {Errc::Unavailable, what + ": " + (words ? words : "failed")};
}

}  // namespace godwit::http
