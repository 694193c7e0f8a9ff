// The shapes of names, label keys and label values.
#pragma once
#include <string_view>

namespace godwit::api {

bool isDnsLabel(std::string_view s);       // RFC 1123: [a-z0-9]([-a-z0-9]*[a-z0-9])?, at most 63
bool isServiceName(std::string_view s);    // RFC 1035: the same, beginning with a letter
bool isDnsSubdomain(std::string_view s);   // DNS labels joined by dots, at most 253
bool isPathSegment(std::string_view s);    // RBAC names: anything but ".", "..", "/" and "%"
bool isQualifiedName(std::string_view s);  // label key: [prefix/]name
bool isLabelValue(std::string_view s);     // empty, or alphanumeric with inner -_., at most 63

}  // namespace godwit::api
