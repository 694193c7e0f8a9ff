// OpenSSL as this room uses it: contexts, a socket BIO that raises no SIGPIPE, errors in words.
#pragma once
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <string>

#include "base/result.h"
#include "http/client.h"
#include "http/connection.h"
#include "http/tls.h"

namespace godwit::http {

// TLS 1.2 or newer, ALPN http/1.1. Invalid names the part that does not fit.
Result<TlsContext> serverContext(const Identity& identity);
Result<TlsContext> clientContext(const ClientTls& options);

BIO* socketBio(int fd);  // does not own the fd; nullptr: out of memory
// Unauthorized when `tls` (may be null) did not trust the peer, else Unavailable with what OpenSSL says.
Error tlsError(const std::string& what, const SSL* tls);

}  // namespace godwit::http
