// URLs, as far as an API client and server need them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit::http {

struct Url {
  bool tls = false;
  std::string host;        // without the brackets of an IPv6 literal
  std::uint16_t port = 0;  // the scheme's default when absent
  std::string path;        // without a trailing slash; empty for the root

  std::string authority() const;  // for the Host header: brackets where needed, the port unless it is the default
};

// http:// or https://. Invalid says what is wrong.
Result<Url> parseUrl(std::string_view text);

// RFC 3986 percent-encoding of everything but unreserved characters.
std::string encodeComponent(std::string_view text);

}  // namespace godwit::http
