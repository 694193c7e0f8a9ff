// What a key Secret must hold, checked before a mover is started with it (contract section 3). Nothing of the content
// is ever part of a message.
#pragma once
#include <string>
#include <vector>

#include "api/core.h"
#include "api/replication.h"

namespace godwit::replication {

// The fields a mover of `role` needs: source, source.pub, destination.pub or destination, destination.pub, source.pub.
const std::vector<std::string>& keyFields(api::Role role);

// Invalid names the Secret, the field and the remedy: a field that lacks or is empty, a private key that is broken or
// encrypted, a public key that does not parse or belongs to another private key. CRLF and a missing final newline pass.
Result<void> checkKeySecret(api::Role role, const api::Secret& secret);

// The parts, for tests and tools. Messages without the Secret's name.
Result<std::string> publicBlobOfPrivateKey(std::string_view file);
Result<std::string> publicBlobOfLine(std::string_view line);

}  // namespace godwit::replication
