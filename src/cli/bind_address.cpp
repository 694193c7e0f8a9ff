#include "cli/bind_address.h"

#include <arpa/inet.h>

#include <charconv>

namespace godwit::cli {

static bool literal(const std::string& host) {
  unsigned char scrap[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), scrap) == 1 || ::inet_pton(AF_INET6, host.c_str(), scrap) == 1;
}

Result<std::optional<BindAddress>> parseBindAddress(const std::string& text) {
  if (text.empty() || text == "0") return std::optional<BindAddress>();
  const Error wrong{Errc::Invalid,
                    "\"" + text + "\" is no address to listen on: give :PORT, IP:PORT, [IPv6]:PORT, or 0 for none"};
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return wrong;
  BindAddress out{text.substr(0, colon), 0};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, out.port);
  if (error != std::errc() || stop != end) return wrong;
  if (out.host.empty()) {
    out.host = "::";
  } else if (out.host.front() == '[' && out.host.back() == ']') {
    out.host = out.host.substr(1, out.host.size() - 2);
  } else if (out.host.find(':') != std::string::npos) {
    return wrong;
  }
  if (!literal(out.host)) return wrong;
  return std::optional(std::move(out));
}

}  // namespace godwit::cli
