// Splits the command line a peer asked sshd to run into words: what a shell would do to rsync's escaped arguments, and
// nothing more. No expansion of any kind exists here, so nothing a peer writes can become a program, a variable or a
// file list.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace godwit::mover {

inline constexpr std::size_t kMaxCommandBytes = 64 << 10;
inline constexpr std::size_t kMaxCommandWords = 1024;

// Words are separated by blanks. A backslash makes the next byte literal (also a newline: rsync escapes bytes, it does
// not continue lines), '...' is literal, in "..." a backslash escapes one of \ " $ `. Invalid with the reason: NUL, an
// unfinished quote or escape, an unescaped shell operator, or more than the limits above.
Result<std::vector<std::string>> splitCommand(std::string_view text);

}  // namespace godwit::mover
