#include "http/url.h"

#include <fmt/core.h>

#include <charconv>

namespace godwit::http {

static Result<std::uint16_t> parsePort(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535) {
    return Error{Errc::Invalid, fmt::format("port \"{}\" is not a number from 1 to 65535", text)};
  }
  return static_cast<std::uint16_t>(port);
}

static Result<void> parseAuthority(std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos)
    return Error{Errc::Invalid, "user names in a URL are not supported"};
  auto portAt = authority.rfind(':');
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return Error{Errc::Invalid, "\"[\" without \"]\""};
    url.host = authority.substr(1, close - 1);
    portAt = close + 1 < authority.size() ? close + 1 : std::string_view::npos;
    if (portAt != std::string_view::npos && authority[portAt] != ':') return Error{Errc::Invalid, "text after \"]\""};
  } else {
    url.host = authority.substr(0, portAt);
  }
  if (url.host.empty()) return Error{Errc::Invalid, "no host"};
  if (portAt == std::string_view::npos) return {};
  GODWIT_ASSIGN(url.port, parsePort(authority.substr(portAt + 1)));
  return {};
}

Result<Url> parseUrl(std::string_view text) {
  Url url;
  auto rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return Error{Errc::Invalid, fmt::format("\"{}\" does not start with http:// or https://", text)};
  }
  url.port = url.tls ? 443 : 80;
  const auto slash = rest.find('/');
  if (auto parsed = parseAuthority(rest.substr(0, slash), url); !parsed) {
    return Error{Errc::Invalid, fmt::format("\"{}\": {}", text, parsed.error().message)};
  }
  if (slash != std::string_view::npos) url.path = rest.substr(slash);
  while (url.path.ends_with('/')) url.path.pop_back();
  return url;
}

std::string Url::authority() const {
  const auto name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string encodeComponent(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    const bool unreserved = (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') || u == '-' ||
                            u == '.' || u == '_' || u == '~';
    out += unreserved ? std::string(1, c) : fmt::format("%{:02X}", u);
  }
  return out;
}

}  // namespace godwit::http
