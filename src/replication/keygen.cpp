#include "replication/keygen.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "api/core.h"
#include "replication/ssh_wire.h"

namespace godwit::replication {

namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;

Error opensslError(std::string what) {
  char reason[256] = "no reason given";
  if (const auto code = ERR_get_error()) ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  return Error{Errc::Internal, std::move(what) + ": " + reason};
}

Result<std::string> integer(EVP_PKEY* key, const char* parameter) {
  BIGNUM* n = nullptr;
  if (EVP_PKEY_get_bn_param(key, parameter, &n) != 1) return opensslError(std::string("key parameter ") + parameter);
  std::string out(static_cast<std::size_t>(BN_num_bytes(n)), '\0');
  BN_bn2bin(n, reinterpret_cast<unsigned char*>(out.data()));
  BN_clear_free(n);
  return out;
}

Result<std::string> octets(EVP_PKEY* key, const char* parameter) {
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, parameter, nullptr, 0, &size) != 1) {
    return opensslError(std::string("key parameter ") + parameter);
  }
  std::string out(size, '\0');
  if (EVP_PKEY_get_octet_string_param(key, parameter, reinterpret_cast<unsigned char*>(out.data()), size, &size) != 1) {
    return opensslError(std::string("key parameter ") + parameter);
  }
  return out;
}

Result<std::string> curveName(EVP_PKEY* key) {
  char group[64] = {};
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, nullptr) != 1) {
    return opensslError("curve of an ECDSA key");
  }
  const std::string_view is = group;
  if (is == "prime256v1" || is == "P-256") return std::string("nistp256");
  if (is == "secp384r1" || is == "P-384") return std::string("nistp384");
  if (is == "secp521r1" || is == "P-521") return std::string("nistp521");
  return Error{Errc::Unsupported, fmt::format("ssh knows no ECDSA keys on the curve {}", is)};
}

Result<std::string> rsaBlob(EVP_PKEY* key) {
  GODWIT_ASSIGN(const auto e, integer(key, OSSL_PKEY_PARAM_RSA_E));
  GODWIT_ASSIGN(const auto n, integer(key, OSSL_PKEY_PARAM_RSA_N));
  return WireWriter().bytes("ssh-rsa").mpint(e).mpint(n).str();
}

Result<std::string> ecdsaBlob(EVP_PKEY* key) {
  GODWIT_ASSIGN(const auto curve, curveName(key));
  EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
  GODWIT_ASSIGN(const auto point, octets(key, OSSL_PKEY_PARAM_PUB_KEY));
  return WireWriter().bytes("ecdsa-sha2-" + curve).bytes(curve).bytes(point).str();
}

Result<std::string> ed25519Public(EVP_PKEY* key) {
  return octets(key, OSSL_PKEY_PARAM_PUB_KEY);
}

// What stands in the private section between the check numbers and the comment.
Result<std::string> privateFields(EVP_PKEY* key, KeyType type, const std::string& blob) {
  switch (type) {
    case KeyType::Ed25519: {
      GODWIT_ASSIGN(const auto pub, ed25519Public(key));
      GODWIT_ASSIGN(const auto seed, octets(key, OSSL_PKEY_PARAM_PRIV_KEY));
      return WireWriter().bytes("ssh-ed25519").bytes(pub).bytes(seed + pub).str();
    }
    case KeyType::Ecdsa: {
      GODWIT_ASSIGN(const auto d, integer(key, OSSL_PKEY_PARAM_PRIV_KEY));
      return WireWriter().raw(blob).mpint(d).str();
    }
    case KeyType::Rsa4096:
      break;
  }
  WireWriter out;
  out.bytes("ssh-rsa");
  for (const char* parameter :
       {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
        OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2}) {
    GODWIT_ASSIGN(const auto value, integer(key, parameter));
    out.mpint(value);
  }
  return out.str();
}

// PROTOCOL.key of OpenSSH: unencrypted, padded 1, 2, 3... to eight bytes.
Result<std::string> privateFile(const std::string& blob, const std::string& fields, std::string_view comment) {
  unsigned char check[4];
  if (RAND_bytes(check, sizeof check) != 1) return opensslError("random bytes");
  const std::string_view number(reinterpret_cast<const char*>(check), sizeof check);
  WireWriter section;
  section.raw(number).raw(number).raw(fields).bytes(comment);
  for (char pad = 1; section.str().size() % 8 != 0; ++pad) section.raw({&pad, 1});
  WireWriter file;
  file.raw({"openssh-key-v1\0", 15}).bytes("none").bytes("none").bytes("").u32(1).bytes(blob).bytes(section.str());
  const std::string body = api::base64Encode(file.str());
  std::string out = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < body.size(); at += 70) out += body.substr(at, 70) + "\n";
  return out + "-----END OPENSSH PRIVATE KEY-----\n";
}

KeyPtr makeKey(KeyType type) {
  switch (type) {
    case KeyType::Ed25519:
      return KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    case KeyType::Rsa4096:
      return KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(4096)));
    case KeyType::Ecdsa:
      return KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  }
  return nullptr;
}

}  // namespace

Result<std::string> publicBlob(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA")) return rsaBlob(key);
  if (EVP_PKEY_is_a(key, "EC")) return ecdsaBlob(key);
  if (EVP_PKEY_is_a(key, "ED25519")) {
    GODWIT_ASSIGN(const auto pub, ed25519Public(key));
    return WireWriter().bytes("ssh-ed25519").bytes(pub).str();
  }
  return Error{Errc::Unsupported, "a key that is neither RSA, ECDSA nor ed25519"};
}

Result<KeyPair> generateKeyPair(KeyType type, std::string_view comment) {
  const KeyPtr key = makeKey(type);
  if (!key) return opensslError("making a key");
  GODWIT_ASSIGN(const auto blob, publicBlob(key.get()));
  GODWIT_ASSIGN(const auto fields, privateFields(key.get(), type, blob));
  KeyPair out;
  GODWIT_ASSIGN(out.privateKey, privateFile(blob, fields, comment));
  const std::string kind(WireReader(blob).bytes().value_or(""));
  out.publicKey = fmt::format("{} {} {}\n", kind, api::base64Encode(blob), comment);
  return out;
}

}  // namespace godwit::replication
