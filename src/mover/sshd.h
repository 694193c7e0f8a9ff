// Real OpenSSH, one `sshd -i` a connection: its configuration and start (contract section 4).
#pragma once
#include <string>

#include "base/process.h"
#include "mover/account_view.h"
#include "mover/temp_dir.h"

namespace godwit::mover {

struct SshdSetup {
  std::string program;        // absolute path of sshd; it insists on one
  std::string configuration;  // path of the generated file
  std::string directory;      // the private directory
  AccountView view;
  std::string user;
};

// Reads `destination` and `source.pub` from the Secret at `keys`, writes normalised keys, authorized_keys and
// sshd_config into `dir`. The error names the field or the program that is missing.
Result<SshdSetup> setUpSshd(const TempDir& dir, const std::string& keys, const std::string& user);

// Serves one accepted connection; its log goes to our stdout. `id` comes back with the session's shutdown.
Result<Process> startSshd(const SshdSetup& setup, int connection, int id);

// The absolute path of our own binary; Unsupported when it has characters that sshd's configuration cannot hold.
Result<std::string> ownBinary();

}  // namespace godwit::mover
