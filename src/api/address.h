// What a user may write as a remote end; both go onto ssh's command line.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace godwit::api {

// nullopt: a host name, an IPv4 or an IPv6 address (with or without brackets). Else what is wrong and what would be
// right.
std::optional<std::string> addressProblem(std::string_view address);

// nullopt: a POSIX user name of at most 32 characters.
std::optional<std::string> userProblem(std::string_view user);

}  // namespace godwit::api
