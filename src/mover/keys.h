// Keys as Secrets bring them, made into what OpenSSH accepts (contract sections 3 and 4).
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit::mover {

// CRLF becomes LF, blanks around and at the ends of lines go, one final newline. Nothing else is changed.
std::string normaliseKey(std::string_view text);

// The key type and blob of a public key: the comment is dropped, because it may hold anything. Invalid when the text is
// not exactly one public key line, or not a whole one; never quotes the key.
Result<std::string> publicKey(std::string_view text, std::string_view field);

// Checks that it is a private key without a passphrase, as far as its armour tells; returns it normalised. Never quotes
// it.
Result<std::string> privateKey(std::string_view text, std::string_view field);

// Reads one field of the Secret mounted at `keys`; the error names field and directory.
Result<std::string> readKeyField(const std::string& keys, const std::string& field);

// Writes a file only we can read (0600), which must not exist yet.
Result<void> writePrivate(const std::string& path, std::string_view text);

}  // namespace godwit::mover
