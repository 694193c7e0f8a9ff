// SSH key pairs made in process by OpenSSL, in the formats that ssh and ssh-keygen read (contract section 3).
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "replication/controller.h"

typedef struct evp_pkey_st EVP_PKEY;

namespace godwit::replication {

using KeyType = ControllerConfig::KeyType;

struct KeyPair {
  std::string privateKey;  // "-----BEGIN OPENSSH PRIVATE KEY-----", no passphrase
  std::string publicKey;   // "ssh-ed25519 AAAA... COMMENT\n"
};
// `comment`: one line of printable text. Internal when OpenSSL refuses.
Result<KeyPair> generateKeyPair(KeyType type, std::string_view comment);

// The wire form of a public key (RFC 4253 section 6.6, RFC 5656, RFC 8709), whose type is its first string.
// Unsupported: neither RSA, ECDSA on a NIST curve, nor ed25519.
Result<std::string> publicBlob(EVP_PKEY* key);

}  // namespace godwit::replication
