#include "api/dns_names.h"

#include <algorithm>

namespace godwit::api {

static bool lowerOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
static bool alphanumeric(char c) {
  return lowerOrDigit(c) || (c >= 'A' && c <= 'Z');
}

static bool labelShape(std::string_view s) {
  return !s.empty() && lowerOrDigit(s.front()) && lowerOrDigit(s.back()) &&
         std::all_of(s.begin(), s.end(), [](char c) { return lowerOrDigit(c) || c == '-'; });
}

bool isDnsLabel(std::string_view s) {
  return s.size() <= 63 && labelShape(s);
}

bool isServiceName(std::string_view s) {
  return isDnsLabel(s) && s.front() >= 'a';
}

bool isDnsSubdomain(std::string_view s) {
  if (s.size() > 253) return false;
  for (std::size_t start = 0; start <= s.size();) {
    const auto end = std::min(s.find('.', start), s.size());
    if (!labelShape(s.substr(start, end - start))) return false;
    start = end + 1;
  }
  return true;
}

bool isPathSegment(std::string_view s) {
  return !s.empty() && s.size() <= 253 && s != "." && s != ".." && s.find_first_of("/%") == s.npos &&
         std::none_of(s.begin(), s.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool isLabelValue(std::string_view s) {
  if (s.empty()) return true;
  const auto inner = [](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  return s.size() <= 63 && alphanumeric(s.front()) && alphanumeric(s.back()) && std::all_of(s.begin(), s.end(), inner);
}

bool isQualifiedName(std::string_view s) {
  if (const auto slash = s.find('/'); slash != s.npos) {
    if (!isDnsSubdomain(s.substr(0, slash))) return false;
    s.remove_prefix(slash + 1);
  }
  return !s.empty() && isLabelValue(s);
}

}  // namespace godwit::api
