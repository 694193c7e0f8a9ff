// The mover's own passwd, group and shadow (contract section 4): root, sshd and one login user, unlocked, all with our
// uid and Godwit as the shell, so that no host's group table renumbers files and no locked root refuses a login.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace godwit::mover {

inline constexpr const char* kViewDirectory = "/tmp/godwit-etc";

struct AccountView {
  // Empty where /etc itself shows the view; else what puts libnss-wrapper and the view into a child's environment, or
  // nothing where the library is not installed and the host's own tables hold.
  std::vector<std::string> environment;
  bool active = false;    // the view is what getpwnam sees, in one way or the other
  std::string directory;  // where the three files are
};

// Letters, digits, '.', '_', '-', not starting with '-' or a digit only; at most 32. Invalid names the field.
Result<void> checkUser(const std::string& user);

// `shell` is the absolute path of our own binary. `privateDir` holds the files where /etc/passwd is not a link to
// kViewDirectory, as it is in the sandbox and in the image.
Result<AccountView> makeAccountView(const std::string& user, const std::string& shell, const std::string& privateDir);

// What shows rsync a view of root alone, which makeAccountView left in `privateDir`: a file's owner that happens to be
// called sshd or like the login at the source keeps its number. Empty where libnss-wrapper is not installed.
std::vector<std::string> ownersEnvironment(const std::string& privateDir);

// The text of the passwd file, for tests and for the image's build.
std::string passwdText(const std::string& user, unsigned uid, unsigned gid, const std::string& shell);

}  // namespace godwit::mover
