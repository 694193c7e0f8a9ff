#include "api/yaml_scalar.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace godwit::api {

namespace {

template <std::size_t N>
bool isOneOf(std::string_view text, const std::string_view (&words)[N]) {
  for (const auto word : words)
    if (text == word) return true;
  return false;
}

bool isNull(std::string_view text) {
  return isOneOf(text, {"", "~", "null", "Null", "NULL"});
}

bool isTrue(std::string_view text) {
  return isOneOf(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"});
}

bool isFalse(std::string_view text) {
  return isOneOf(text, {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"});
}

// Takes the base's prefix off: 0x, 0b, 0o, or a leading 0 for octal, as Go reads them.
int takeBase(std::string_view& digits) {
  if (digits.size() < 2 || digits[0] != '0') return 10;
  const char mark = digits[1] | 0x20;
  const int base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
  digits.remove_prefix(base != 8 || mark == 'o' ? 2 : 1);
  return base;
}

std::optional<Json> integer(std::string_view text) {
  std::string plain(text);
  std::erase(plain, '_');
  std::string_view digits = plain;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const int base = takeBase(digits);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (negative && value > kMax + 1) return std::nullopt;
  if (negative) return Json(static_cast<std::int64_t>(~value + 1));
  return value > kMax ? Json(value) : Json(static_cast<std::int64_t>(value));
}

std::size_t countDigits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

// [-+]? ( digits [. digits?] | . digits ) ( e [-+]? digits )?
bool looksLikeFloat(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const auto whole = countDigits(text);
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    const auto fraction = countDigits(text.substr(1));
    if (whole + fraction == 0) return false;
    text.remove_prefix(1 + fraction);
  } else if (whole == 0) {
    return false;
  }
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() && countDigits(text) == text.size();
}

std::optional<Json> floating(std::string_view text) {
  if (!looksLikeFloat(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;  // out of range: text, as in Go
  constexpr double kExact = 9007199254740992.0;                                       // 2^53
  if (std::abs(value) <= kExact && value == std::floor(value)) return Json(static_cast<std::int64_t>(value));
  return Json(value);
}

std::optional<Json> special(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (isOneOf(text, {".nan", ".NaN", ".NAN"})) return Json(std::numeric_limits<double>::quiet_NaN());
  if (isOneOf(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) return Json(kInfinity);
  if (isOneOf(text, {"-.inf", "-.Inf", "-.INF"})) return Json(-kInfinity);
  return std::nullopt;
}

}  // namespace

Json resolvePlainScalar(std::string_view text) {
  if (isNull(text)) return nullptr;
  if (isTrue(text)) return true;
  if (isFalse(text)) return false;
  if (std::string_view("+-.0123456789").find(text[0]) == std::string_view::npos) return std::string(text);
  if (auto value = special(text)) return *value;
  if (auto value = integer(text)) return *value;
  if (auto value = floating(text)) return *value;
  return std::string(text);
}

}  // namespace godwit::api
