// What travels: headers, requests, and the escapes of targets (RFC 3986).
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit::http {

struct CaseLess {  // ASCII, as field names compare
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};
using Headers = std::multimap<std::string, std::string, CaseLess>;
using Query = std::multimap<std::string, std::string>;

struct Request {
  std::string method;  // "GET"; as it came, case kept
  std::string target;  // as it came
  std::string path;    // decoded, without the query; begins with '/'
  Query query;         // decoded; "a" without "=" has an empty value
  Headers headers;
  std::string body;
  std::string peer;  // "127.0.0.1:40312"

  std::string header(std::string_view name) const;                  // the first; empty when absent
  std::optional<std::string> param(const std::string& name) const;  // the first
};

// Percent escapes undone; `plus`: '+' is a blank (query only). Invalid: a broken escape or a NUL.
Result<std::string> decode(std::string_view text, bool plus = false);
// Fills path and query from target. Invalid when it is neither a path nor an absolute URL.
Result<void> splitTarget(Request& request);
std::string_view reason(int status);  // "Not Found"

}  // namespace godwit::http
