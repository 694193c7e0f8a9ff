#include "api/quantity.h"

#include <limits>

namespace godwit::api {

namespace {

// A decimal number of any length: `digits` with the point before digits[point].
struct Decimal {
  std::string digits;
  std::ptrdiff_t point = 0;

  void doubled() {
    int carry = 0;
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
      const int twice = (*digit - '0') * 2 + carry;
      *digit = static_cast<char>('0' + twice % 10);
      carry = twice / 10;
    }
    if (carry == 0) return;
    digits.insert(0, 1, '1');
    ++point;
  }

  // Rounded up to a whole number; nullopt over 2^63-1.
  std::optional<std::int64_t> whole() const {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    std::uint64_t value = 0;
    for (std::ptrdiff_t i = 0; i < point; ++i) {
      const bool written = i < static_cast<std::ptrdiff_t>(digits.size());
      value = value * 10 + static_cast<std::uint64_t>(written ? digits[static_cast<std::size_t>(i)] - '0' : 0);
      if (value > kMax) return std::nullopt;
    }
    const auto rest = static_cast<std::size_t>(std::max<std::ptrdiff_t>(point, 0));
    const bool fraction = rest < digits.size() && digits.find_first_not_of('0', rest) != std::string::npos;
    if (fraction && value == kMax) return std::nullopt;
    return static_cast<std::int64_t>(value + fraction);
  }
};

struct Scale {
  int decimal = 0;  // times 10^decimal
  int binary = 0;   // times 2^binary
};

std::optional<Scale> exponentOf(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 3) return std::nullopt;  // 10^999 is beyond every limit
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return Scale{negative ? -value : value, 0};
}

std::optional<Scale> scaleOf(std::string_view suffix) {
  static constexpr struct {
    std::string_view name;
    Scale scale;
  } kSuffixes[] = {{"", {}},        {"n", {-9, 0}},  {"u", {-6, 0}},  {"m", {-3, 0}}, {"k", {3, 0}},   {"M", {6, 0}},
                   {"G", {9, 0}},   {"T", {12, 0}},  {"P", {15, 0}},  {"E", {18, 0}}, {"Ki", {0, 10}}, {"Mi", {0, 20}},
                   {"Gi", {0, 30}}, {"Ti", {0, 40}}, {"Pi", {0, 50}}, {"Ei", {0, 60}}};
  for (const auto& known : kSuffixes)
    if (known.name == suffix) return known.scale;
  return suffix[0] == 'e' || suffix[0] == 'E' ? exponentOf(suffix.substr(1)) : std::nullopt;
}

// Takes the digits and the point off `text`; nullopt when there is no digit.
std::optional<Decimal> takeNumber(std::string_view& text) {
  Decimal number;
  const auto digits = [&] {
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
      number.digits += text[0];
      text.remove_prefix(1);
    }
  };
  digits();
  number.point = static_cast<std::ptrdiff_t>(number.digits.size());
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits();
  }
  return number.digits.empty() ? std::nullopt : std::optional(std::move(number));
}

}  // namespace

Result<std::int64_t> parseBytes(std::string_view quantity) {
  constexpr std::size_t kLongest = 256;
  const Error bad{Errc::Invalid, "not a quantity: write it as 10Gi, 500M or 1e9"};
  if (quantity.size() > kLongest) return bad;
  if (quantity.starts_with('-')) return Error{Errc::Invalid, "negative: a size is 0 or more, as in 10Gi"};
  if (quantity.starts_with('+')) quantity.remove_prefix(1);
  auto number = takeNumber(quantity);
  if (!number) return bad;
  const auto scale = scaleOf(quantity);
  if (!scale) return bad;
  number->point += scale->decimal;
  for (int i = 0; i < scale->binary; ++i) number->doubled();
  const auto bytes = number->whole();
  if (!bytes) return Error{Errc::Invalid, "too large: the largest size is 8Ei less one byte"};
  return *bytes;
}

std::string formatBytes(std::int64_t bytes) {
  static constexpr const char* kSuffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  std::size_t suffix = 0;
  for (; bytes != 0 && bytes % 1024 == 0 && suffix + 1 < std::size(kSuffixes); ++suffix) bytes /= 1024;
  return fmt::format("{}{}", bytes, kSuffixes[suffix]);
}

}  // namespace godwit::api
