#include "http/tls.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

namespace godwit::http {

namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
constexpr Duration kClockSkew = std::chrono::hours(1);

Error failed(const char* what) {
  const char* words = ERR_reason_error_string(ERR_peek_error());
  Error error{Errc::Internal, std::string(what) + ": " + (words ? words : "OpenSSL failed")};
  ERR_clear_error();
  return error;
}

Bio source(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

std::string taken(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<Identity> toPem(X509* certificate, EVP_PKEY* key) {
  const Bio a(BIO_new(BIO_s_mem()), BIO_free);
  const Bio b(BIO_new(BIO_s_secmem()), BIO_free);  // wiped when freed
  if (!a || !b || PEM_write_bio_X509(a.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(b.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("write a certificate");
  }
  return Identity{taken(a.get()), taken(b.get())};
}

bool setTime(ASN1_TIME* field, TimePoint when) {
  return ASN1_TIME_set(
      field, static_cast<std::time_t>(std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count()));
}

// 127 random bits: positive, unique, and hard to foresee (RFC 5280, 4.1.2.2).
bool setSerial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_bin2bn(bytes, sizeof bytes, nullptr), BN_free);
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool addName(X509* certificate, const char* field, const std::string& value) {
  return value.empty() || X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), field, MBSTRING_UTF8,
                                                     reinterpret_cast<const unsigned char*>(value.data()),
                                                     static_cast<int>(value.size()), -1, 0) == 1;
}

bool addExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), X509_EXTENSION_free);
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// "DNS:a,IP:::1" for OpenSSL's reader, which takes commas as its own.
Result<std::string> alternativeNames(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    in6_addr scratch;
    const bool address =
        ::inet_pton(AF_INET, name.c_str(), &scratch) == 1 || ::inet_pton(AF_INET6, name.c_str(), &scratch) == 1;
    const bool sound =
        !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*") ==
                             std::string::npos;
    if (!address && !sound)
      return Error{Errc::Invalid, "certificate name \"" + name + "\": neither a DNS name nor an address"};
    out += (out.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + name;
  }
  return out;
}

struct Draft {
  Key key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  Certificate certificate{X509_new(), X509_free};

  bool begin(TimePoint now, Duration validity) {
    return key && certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
           setSerial(certificate.get()) && setTime(X509_getm_notBefore(certificate.get()), now - kClockSkew) &&
           setTime(X509_getm_notAfter(certificate.get()), now + validity) &&
           X509_set_pubkey(certificate.get(), key.get()) == 1;
  }
  bool extend(X509* issuer, int nid, const std::string& value) {
    return addExtension(certificate.get(), issuer, nid, value);
  }
};

}  // namespace

Result<Identity> makeAuthority(const std::string& commonName, TimePoint now, Duration validity) {
  Draft draft;
  X509* own = draft.certificate.get();
  if (!draft.begin(now, validity) || !addName(own, "CN", commonName) ||
      X509_set_issuer_name(own, X509_get_subject_name(own)) != 1 ||
      !draft.extend(own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !draft.extend(own, NID_key_usage, "critical,keyCertSign,cRLSign") ||
      !draft.extend(own, NID_subject_key_identifier, "hash") || X509_sign(own, draft.key.get(), EVP_sha256()) == 0) {
    return failed("make a certificate authority");
  }
  return toPem(own, draft.key.get());
}

Result<Identity> issue(const Identity& authority, const CertificateRequest& request, TimePoint now, Duration validity) {
  const Bio certificateText = source(authority.certificate), keyText = source(authority.key);
  const Certificate issuer(PEM_read_bio_X509(certificateText.get(), nullptr, nullptr, nullptr), X509_free);
  char none[] = "";
  const Key issuerKey(PEM_read_bio_PrivateKey(keyText.get(), nullptr, nullptr, none), EVP_PKEY_free);
  if (!issuer || !issuerKey || X509_check_private_key(issuer.get(), issuerKey.get()) != 1) {
    ERR_clear_error();
    return Error{Errc::Invalid, "certificate authority: certificate and key are damaged or do not fit"};
  }
  GODWIT_ASSIGN(const std::string names, alternativeNames(request.names));
  Draft draft;
  X509* own = draft.certificate.get();
  if (!draft.begin(now, validity) || !addName(own, "O", request.organization) ||
      !addName(own, "CN", request.commonName) || X509_set_issuer_name(own, X509_get_subject_name(issuer.get())) != 1 ||
      !draft.extend(issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !draft.extend(issuer.get(), NID_key_usage, "critical,digitalSignature") ||
      !draft.extend(issuer.get(), NID_ext_key_usage, request.client ? "clientAuth" : "serverAuth") ||
      !draft.extend(issuer.get(), NID_subject_key_identifier, "hash") ||
      !draft.extend(issuer.get(), NID_authority_key_identifier, "keyid:always") ||
      (!names.empty() && !draft.extend(issuer.get(), NID_subject_alt_name, names)) ||
      X509_sign(own, issuerKey.get(), EVP_sha256()) == 0) {
    return failed("issue a certificate");
  }
  return toPem(own, draft.key.get());
}

Result<TimePoint> expiry(std::string_view certificate) {
  const Bio bio = source(certificate);
  const Certificate found(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  std::tm when{};
  if (!found || ASN1_TIME_to_tm(X509_get0_notAfter(found.get()), &when) != 1) {
    ERR_clear_error();
    return Error{Errc::Invalid, "certificate: not PEM, or damaged"};
  }
  return TimePoint(std::chrono::seconds(::timegm(&when)));
}

}  // namespace godwit::http
