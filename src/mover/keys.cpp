#include "mover/keys.h"

#include <fcntl.h>

#include <fmt/core.h>

#include "api/core.h"
#include "base/fd.h"

namespace godwit::mover {

namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(kBlanks);
  return from == std::string_view::npos ? std::string_view()
                                        : text.substr(from, text.find_last_not_of(kBlanks) - from + 1);
}

bool onlyOf(std::string_view text, std::string_view set) {
  return !text.empty() && text.find_first_not_of(set) == std::string_view::npos;
}

constexpr std::string_view kTypeCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-@.";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

// The wire form of a key: strings with their lengths before them, the first the key's type, and nothing after the last.
bool isWhole(std::string_view type, std::string_view blob) {
  constexpr std::size_t kLength = 4;
  for (bool first = true; !blob.empty(); first = false) {
    if (blob.size() < kLength) return false;
    std::size_t length = 0;
    for (std::size_t i = 0; i < kLength; ++i) length = length << 8 | static_cast<unsigned char>(blob[i]);
    blob.remove_prefix(kLength);
    if (length > blob.size() || (first && blob.substr(0, length) != type)) return false;
    if (first && length == blob.size()) return false;  // a type and no key
    blob.remove_prefix(length);
  }
  return true;
}

constexpr std::string_view kOpenSshBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";

enum class Armour { Plain, Encrypted, Damaged };

// What the format that ssh-keygen writes tells before its end: whether a passphrase is needed.
Armour openSshArmour(std::string_view key) {
  constexpr std::string_view kMagic("openssh-key-v1\0", 15), kNoCipher("\0\0\0\4none", 8);
  const auto end = key.find("-----END", kOpenSshBegin.size());
  const auto bytes = api::base64Decode(key.substr(kOpenSshBegin.size(), end - kOpenSshBegin.size()));
  if (!bytes.ok() || bytes->compare(0, kMagic.size(), kMagic) != 0) return Armour::Damaged;
  return bytes->compare(kMagic.size(), kNoCipher.size(), kNoCipher) == 0 ? Armour::Plain : Armour::Encrypted;
}

Armour armour(std::string_view key) {
  if (key.rfind(kOpenSshBegin, 0) == 0) return openSshArmour(key);
  return key.find("ENCRYPTED") == std::string_view::npos ? Armour::Plain : Armour::Encrypted;
}

}  // namespace

std::string normaliseKey(std::string_view text) {
  std::string out;
  for (const char c : trim(text)) {
    if (c == '\n') out.erase(out.find_last_not_of(" \t") + 1);
    if (c != '\r') out += c;
  }
  return out + "\n";
}

Result<std::string> publicKey(std::string_view text, std::string_view field) {
  const auto key = normaliseKey(text);
  const std::string_view line = trim(key);
  const auto typeEnd = line.find_first_of(" \t");
  const auto blobStart = typeEnd == std::string_view::npos ? typeEnd : line.find_first_not_of(" \t", typeEnd);
  const auto type = line.substr(0, typeEnd);
  const auto blob = blobStart == std::string_view::npos
                        ? std::string_view()
                        : line.substr(blobStart, line.find_first_of(" \t", blobStart) - blobStart);
  if (line.find('\n') != std::string_view::npos || !onlyOf(type, kTypeCharacters) || !onlyOf(blob, kBase64)) {
    return Error{Errc::Invalid,
                 fmt::format("the Secret's field {} is not one public key line as ssh-keygen writes it", field)};
  }
  const auto bytes = api::base64Decode(blob);
  if (!bytes.ok() || !isWhole(type, *bytes)) {
    return Error{Errc::Invalid,
                 fmt::format("the Secret's field {} is damaged or cut short; copy the whole public key again", field)};
  }
  return fmt::format("{} {}\n", type, blob);
}

Result<std::string> privateKey(std::string_view text, std::string_view field) {
  auto key = normaliseKey(text);
  if (key.rfind("-----BEGIN ", 0) != 0 || key.find("PRIVATE KEY-----") == std::string::npos ||
      key.find("\n-----END ") == std::string::npos) {
    return Error{Errc::Invalid,
                 fmt::format("the Secret's field {} is not a private key as ssh-keygen writes it", field)};
  }
  switch (armour(key)) {
    case Armour::Plain:
      return key;
    case Armour::Encrypted:
      return Error{Errc::Invalid,
                   fmt::format("the Secret's field {} has a passphrase; remove it with ssh-keygen -p", field)};
    case Armour::Damaged:
      break;
  }
  return Error{Errc::Invalid, fmt::format("the Secret's field {} is damaged; copy the whole key file again", field)};
}

Result<std::string> readKeyField(const std::string& keys, const std::string& field) {
  auto text = readFile(keys + "/" + field, 64 << 10);
  if (text.ok()) return text;
  if (text.is(Errc::NotFound)) {
    return Error{Errc::NotFound, fmt::format("the Secret at {} has no field {}; add it", keys, field)};
  }
  return Error{text.error().code, fmt::format("the Secret's field {}: {}", field, text.error().message)};
}

Result<void> writePrivate(const std::string& path, std::string_view text) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.valid()) return errnoError(path);
  return writeAll(fd.get(), text);
}

}  // namespace godwit::mover
