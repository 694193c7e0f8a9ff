// Go's time.Duration as text.
#include <limits>

#include "api/quantity.h"

namespace godwit::api {

namespace {

constexpr std::uint64_t kMicro = 1'000, kMilli = 1'000'000, kSecond = 1'000'000'000;
constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();

// n / unit as a decimal number without trailing zeros.
std::string decimal(std::uint64_t n, std::uint64_t unit, int places) {
  auto out = fmt::format("{}.{:0{}}", n / unit, n % unit, places);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

// Nanoseconds of the unit that `text` starts with, which is taken off; 0 when there is none.
std::uint64_t takeUnit(std::string_view& text) {
  static constexpr struct {
    std::string_view name;
    std::uint64_t nanos;
  } kUnits[] = {{"ns", 1},      {"us", kMicro}, {"\u00b5s", kMicro}, {"\u03bcs", kMicro},
                {"ms", kMilli}, {"s", kSecond}, {"m", 60 * kSecond}, {"h", 3600 * kSecond}};
  for (const auto& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.nanos;
  }
  return 0;
}

bool isDigit(std::string_view text) {
  return !text.empty() && text[0] >= '0' && text[0] <= '9';
}

// Takes "12.5m" off `text`. The sum of such terms may reach 2^63, one more than the largest positive duration.
std::optional<std::uint64_t> takeTerm(std::string_view& text) {
  constexpr std::uint64_t kLimit = kMax + 1;
  std::uint64_t whole = 0, fraction = 0, scale = 1;
  bool digits = false;
  for (; isDigit(text); digits = true, text.remove_prefix(1)) {
    if (whole > kLimit / 10) return std::nullopt;
    whole = whole * 10 + static_cast<std::uint64_t>(text[0] - '0');
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    for (; isDigit(text); digits = true, text.remove_prefix(1)) {
      if (fraction > kMax / 10) continue;  // finer than any unit can show
      fraction = fraction * 10 + static_cast<std::uint64_t>(text[0] - '0');
      scale *= 10;
    }
  }
  const std::uint64_t unit = digits ? takeUnit(text) : 0;
  if (unit == 0 || whole > kLimit / unit) return std::nullopt;
  const auto part = static_cast<std::uint64_t>(static_cast<double>(fraction) *
                                               (static_cast<double>(unit) / static_cast<double>(scale)));
  if (part > kLimit - whole * unit) return std::nullopt;
  return whole * unit + part;
}

}  // namespace

std::string formatDuration(Duration d) {
  if (d == Duration(0)) return "0s";
  const bool negative = d < Duration(0);
  const std::uint64_t n = negative ? ~static_cast<std::uint64_t>(d.count()) + 1 : static_cast<std::uint64_t>(d.count());
  const char* sign = negative ? "-" : "";
  if (n < kMicro) return fmt::format("{}{}ns", sign, n);
  if (n < kMilli) return fmt::format("{}{}\u00b5s", sign, decimal(n, kMicro, 3));
  if (n < kSecond) return fmt::format("{}{}ms", sign, decimal(n, kMilli, 6));
  const std::uint64_t minutes = n / (60 * kSecond), hours = minutes / 60;
  auto out = decimal(n % (60 * kSecond), kSecond, 9) + "s";
  if (minutes > 0) out = fmt::format("{}m{}", minutes % 60, out);
  if (hours > 0) out = fmt::format("{}h{}", hours, out);
  return sign + out;
}

Result<Duration> parseDuration(std::string_view text) {
  const Error bad{Errc::Invalid, "not a duration: write it as 90s, 1m30s or 1h (units ns, us, ms, s, m, h)"};
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return Duration(0);
  if (text.empty()) return bad;
  std::uint64_t total = 0;
  while (!text.empty()) {
    const auto term = takeTerm(text);
    if (!term || *term > kMax + 1 - total) return bad;
    total += *term;
  }
  if (!negative && total > kMax) return bad;
  return Duration(static_cast<std::int64_t>(negative ? ~total + 1 : total));
}

}  // namespace godwit::api
