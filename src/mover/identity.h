// Whom the files a mover handles may belong to.
#pragma once
#include <string_view>

namespace godwit::mover {

// Whether this process lives in a user namespace that knows one id alone (an ordinary user's sandbox). There an ACL
// that names anybody else reads as nobody and cannot be set.
bool knowsOneIdOnly();
bool knowsOneIdOnly(std::string_view uidMap);  // the content of /proc/PID/uid_map

}  // namespace godwit::mover
