#include "replication/key_check.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <fmt/format.h>

#include "replication/keygen.h"
#include "replication/ssh_wire.h"

namespace godwit::replication {

namespace {

constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kEnd = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::string_view kMagic{"openssh-key-v1\0", 15};

Error invalid(std::string message) {
  return Error{Errc::Invalid, std::move(message)};
}
Error encrypted() {
  return invalid("is protected by a passphrase, which a mover cannot type; remove it with ssh-keygen -p -N ''");
}

std::string withoutSpace(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return !std::isspace(static_cast<unsigned char>(c)); });
  return out;
}

Result<std::string> opensshBlob(std::string_view file) {
  const auto begin = file.find(kBegin), end = file.find(kEnd);
  if (end == std::string_view::npos || end < begin) return invalid("has no end line; copy the whole file");
  const auto body = api::base64Decode(withoutSpace(file.substr(begin + kBegin.size(), end - begin - kBegin.size())));
  if (!body) return invalid("is not base64 between its first and last line; copy the file again");
  if (body->compare(0, kMagic.size(), kMagic) != 0) return invalid("is not an OpenSSH private key");
  WireReader in(std::string_view(*body).substr(kMagic.size()));
  const auto cipher = in.bytes(), kdf = in.bytes(), options = in.bytes();
  const auto count = in.u32();
  const auto blob = in.bytes(), section = in.bytes();
  if (!cipher || !kdf || !options || !count || !blob || !section) return invalid("is cut short; copy the whole file");
  if (*cipher != "none") return encrypted();
  if (*count != 1) return invalid("holds more than one key");
  WireReader priv(*section);
  const auto first = priv.u32(), second = priv.u32();
  if (!first || !second || *first != *second) return invalid("is damaged; copy the file again");
  const auto type = priv.bytes();
  if (!type || type != WireReader(*blob).bytes()) return invalid("is damaged; copy the file again");
  return std::string(*blob);
}

int noPassphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<std::string> pemBlob(std::string_view file) {
  bool asked = false;
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(file.data(), static_cast<int>(file.size())),
                                                      &BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, noPassphrase, &asked), &EVP_PKEY_free);
  ERR_clear_error();
  if (asked) return encrypted();
  if (!key) return invalid("is not a private key that ssh can read; make one with ssh-keygen -N ''");
  auto blob = publicBlob(key.get());
  if (!blob) return invalid("is " + blob.error().message);
  return blob;
}

Error about(const api::Secret& secret, std::string_view field, const std::string& what) {
  return invalid(fmt::format("Secret {}: field {} {}", secret.meta.name, field, what));
}

}  // namespace

Result<std::string> publicBlobOfPrivateKey(std::string_view file) {
  std::string lines;
  std::copy_if(file.begin(), file.end(), std::back_inserter(lines), [](char c) { return c != '\r'; });
  if (!lines.empty() && lines.back() != '\n') lines += '\n';
  return lines.find(kBegin) == std::string::npos ? pemBlob(lines) : opensshBlob(lines);
}

Result<std::string> publicBlobOfLine(std::string_view line) {
  const auto typeEnd = line.find(' ');
  if (typeEnd == std::string_view::npos) return invalid("is not a public key line (\"ssh-ed25519 AAAA... comment\")");
  const auto type = line.substr(0, typeEnd);
  auto rest = line.substr(typeEnd + 1);
  rest = rest.substr(0, rest.find_first_of(" \r\n\t"));
  auto blob = api::base64Decode(rest);
  if (!blob || WireReader(*blob).bytes() != type) {
    return invalid("is not a public key line (\"ssh-ed25519 AAAA... comment\")");
  }
  return blob;
}

const std::vector<std::string>& keyFields(api::Role role) {
  static const std::vector<std::string> kSource = {"source", "source.pub", "destination.pub"};
  static const std::vector<std::string> kDestination = {"destination", "destination.pub", "source.pub"};
  return role == api::Role::Source ? kSource : kDestination;
}

Result<void> checkKeySecret(api::Role role, const api::Secret& secret) {
  const auto& fields = keyFields(role);
  for (const auto& field : fields) {
    const auto it = secret.data.find(field);
    if (it == secret.data.end() || it->second.empty()) {
      return about(secret, field, fmt::format("is missing; a {} needs {}", api::name(role), fmt::join(fields, ", ")));
    }
  }
  const auto own = publicBlobOfPrivateKey(secret.data.at(fields[0]));
  if (!own) return about(secret, fields[0], own.error().message);
  const auto declared = publicBlobOfLine(secret.data.at(fields[1]));
  if (!declared) return about(secret, fields[1], declared.error().message);
  if (*own != *declared) {
    return about(secret, fields[1],
                 fmt::format("is not the public half of {}; make it with ssh-keygen -y -f {}", fields[0], fields[0]));
  }
  const auto peer = publicBlobOfLine(secret.data.at(fields[2]));
  if (!peer) return about(secret, fields[2], peer.error().message);
  return {};
}

}  // namespace godwit::replication
