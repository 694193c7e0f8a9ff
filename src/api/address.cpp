#include "api/address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace godwit::api {

static bool isWordChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool isIp(int family, std::string_view text) {
  in6_addr parsed;
  return text.size() < INET6_ADDRSTRLEN && inet_pton(family, std::string(text).c_str(), &parsed) == 1;
}

// fe80::1%eth0 is an address too: the zone is an interface's name.
static bool isIpv6(std::string_view text) {
  const auto percent = text.find('%');
  if (percent == text.npos) return isIp(AF_INET6, text);
  const auto zone = text.substr(percent + 1);
  const auto fits = [](char c) { return isWordChar(c) || c == '.' || c == '-'; };
  return !zone.empty() && zone.size() < 16 && std::all_of(zone.begin(), zone.end(), fits) &&
         isIp(AF_INET6, text.substr(0, percent));
}

static bool isHostLabel(std::string_view label) {
  const auto fits = [](char c) { return isWordChar(c) || c == '-'; };
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), fits);
}

// Labels joined by dots. A name that ends in a number is meant as an IPv4 address and must be one.
static bool isHostName(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > 253) return false;
  std::string_view label;
  for (std::size_t from = 0; from <= host.size(); from += label.size() + 1) {
    label = host.substr(from, host.find('.', from) - from);
    if (!isHostLabel(label)) return false;
  }
  return label.find_first_not_of("0123456789") != label.npos;
}

std::optional<std::string> addressProblem(std::string_view address) {
  if (address.empty()) return "empty: write a host name or an IP address, or leave the field out";
  if (address.starts_with('[') && address.ends_with(']') && isIpv6(address.substr(1, address.size() - 2)))
    return std::nullopt;
  if (isHostName(address) || isIp(AF_INET, address) || isIpv6(address)) return std::nullopt;
  return "not an address: write a host name (international ones as xn--...), an IPv4 or an IPv6 address, without port, "
         "user or blanks";
}

std::optional<std::string> userProblem(std::string_view user) {
  const auto fits = [](char c) { return isWordChar(c) || c == '.' || c == '-'; };
  const bool good = !user.empty() && user.size() <= 32 && user.front() != '-' && user != "." && user != ".." &&
                    std::all_of(user.begin(), user.end(), fits);
  if (good) return std::nullopt;
  return "not a user name: at most 32 letters, digits, '.', '_' and '-', not beginning with '-'";
}

}  // namespace godwit::api
