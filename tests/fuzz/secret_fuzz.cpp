// What a Secret and an address bring: whatever passes must not end a line of the files that ssh and sshd read.
#include "fuzz/fuzz.h"
#include "mover/account_view.h"
#include "mover/address.h"
#include "mover/keys.h"

using namespace godwit;
using namespace godwit::mover;

GODWIT_FUZZ_TARGET(secret,
                   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm me@here\r\n",
                   "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n"
                   "-----END OPENSSH PRIVATE KEY-----",
                   "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
                   "[::1]:8022", "fe80::1%eth0", "my.host.com", "root") {
  const auto line = publicKey(input, "source.pub");
  fuzz::require(!line || (line->find('\n') == line->size() - 1 && line->find('"') == std::string::npos),
                "a public key of more than one line");
  const auto key = privateKey(input, "source");
  fuzz::require(!key || (key->back() == '\n' && key->find('\r') == std::string::npos), "a key that is not normalised");
  const auto host = parseHost(input);
  fuzz::require(!host || (host->front() != '-' && host->find_first_of(" \t\r\n\"'$`") == std::string::npos),
                "a host that says more than a name");
  fuzz::require(!checkUser(std::string(input)).ok() || input.find_first_of(": \n") == std::string_view::npos,
                "a login with a field");
  const auto listen = parseListen(input);
  fuzz::require(!listen || (listen->port >= 0 && listen->port <= 65535), "a port out of range");
}
