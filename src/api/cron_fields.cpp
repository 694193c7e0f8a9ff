#include "api/cron_fields.h"

#include <bit>
#include <cctype>

namespace godwit::api {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct FieldKind {
  const char* name;
  unsigned least, most;  // what `*` spans
  unsigned largest;      // the largest number one may write: 7 for Sunday
  const std::string_view* names = nullptr;
  std::size_t nameCount = 0;
};

constexpr FieldKind kMinute{"minute", 0, 59, 59}, kHour{"hour", 0, 23, 23}, kDay{"day of month", 1, 31, 31};
constexpr FieldKind kMonth{"month", 1, 12, 12, kMonths, std::size(kMonths)};
constexpr FieldKind kWeekday{"day of week", 0, 6, 7, kWeekdays, std::size(kWeekdays)};

struct Parsed {
  std::uint64_t bits = 0;
  bool any = false;
};

Error wrong(const FieldKind& kind, std::string_view value) {
  return {Errc::Invalid, fmt::format("{} \"{}\": expected {}-{}, *, a list, a range or a step", kind.name, value,
                                     kind.least, kind.largest)};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == text.npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  for (;;) {
    const auto from = text.find_first_not_of(kSpace);
    if (from == text.npos) return found;
    text.remove_prefix(from);
    const auto to = std::min(text.find_first_of(kSpace), text.size());
    found.push_back(text.substr(0, to));
    text.remove_prefix(to);
  }
}

std::optional<unsigned> digits(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<unsigned> valueOf(const FieldKind& kind, std::string_view text) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  for (std::size_t i = 0; i < kind.nameCount; ++i)
    if (std::equal(text.begin(), text.end(), kind.names[i].begin(), kind.names[i].end(), same))
      return static_cast<unsigned>(i) + kind.least;
  const auto number = digits(text);
  return number && *number >= kind.least && *number <= kind.largest ? number : std::nullopt;
}

// One element of a list: `*`, `?`, N, N-M, each with an optional /step.
Result<Parsed> parseElement(const FieldKind& kind, std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() > 2) return wrong(kind, text);
  const auto step = parts.size() == 2 ? digits(parts[1]) : std::optional(1u);
  if (!step || *step == 0) return wrong(kind, text);
  const bool any = parts[0] == "*" || parts[0] == "?";
  unsigned first = kind.least, last = kind.most;
  if (!any) {
    const auto ends = split(parts[0], '-');
    const auto low = valueOf(kind, ends[0]), high = valueOf(kind, ends.back());
    if (ends.size() > 2 || !low || !high || *low > *high) return wrong(kind, text);
    first = *low;
    last = ends.size() == 2 || parts.size() == 1 ? *high : std::max(kind.most, *low);
  }
  Parsed parsed{0, any && *step == 1};
  for (unsigned value = first; value <= last; value += *step) parsed.bits |= std::uint64_t{1} << value;
  return parsed;
}

Result<Parsed> parseField(const FieldKind& kind, std::string_view text) {
  Parsed all;
  for (const auto element : split(text, ',')) {
    GODWIT_ASSIGN(const Parsed one, parseElement(kind, element));
    all.bits |= one.bits;
    all.any = all.any || one.any;
  }
  return all;
}

std::optional<unsigned> lowestFrom(std::uint64_t bits, std::int64_t from) {
  bits &= from > 63 ? 0 : ~std::uint64_t{0} << from;
  return bits ? std::optional(static_cast<unsigned>(std::countr_zero(bits))) : std::nullopt;
}

}  // namespace

Result<CronFields> CronFields::parse(std::string_view text) {
  const auto parts = words(text);
  if (parts.size() != 5)
    return Error{Errc::Invalid,
                 fmt::format("expected five fields (minute hour day month weekday) or @hourly and the like, "
                             "found {}",
                             parts.size())};
  GODWIT_ASSIGN(const Parsed minute, parseField(kMinute, parts[0]));
  GODWIT_ASSIGN(const Parsed hour, parseField(kHour, parts[1]));
  GODWIT_ASSIGN(const Parsed day, parseField(kDay, parts[2]));
  GODWIT_ASSIGN(const Parsed month, parseField(kMonth, parts[3]));
  GODWIT_ASSIGN(Parsed weekday, parseField(kWeekday, parts[4]));
  weekday.bits = (weekday.bits | weekday.bits >> 7) & 0x7F;
  return CronFields{minute.bits, hour.bits, day.bits, month.bits, weekday.bits, day.any, weekday.any};
}

bool CronFields::matches(std::chrono::year_month_day date) const {
  const bool dayFits = day >> unsigned(date.day()) & 1;
  const bool weekdayFits = weekday >> std::chrono::weekday(std::chrono::sys_days(date)).c_encoding() & 1;
  const bool fits = anyDay || anyWeekday ? dayFits && weekdayFits : dayFits || weekdayFits;
  return fits && (month >> unsigned(date.month()) & 1);
}

std::optional<minutes> CronFields::next(minutes local) const {
  const minutes earliest = local + minutes(1);
  const auto today = std::chrono::floor<days>(earliest);
  for (auto d = today; d <= today + days(5 * 366); d += days(1)) {
    if (!matches(std::chrono::sys_days(d))) continue;
    const minutes from = d == today ? earliest - today : minutes(0);
    for (auto h = lowestFrom(hour, from / hours(1)); h; h = lowestFrom(hour, *h + 1)) {
      const bool partly = hours(*h) < from;  // the hour we are in
      if (const auto m = lowestFrom(minute, partly ? (from - hours(*h)).count() : 0))
        return d + hours(*h) + minutes(*m);
    }
  }
  return std::nullopt;
}

}  // namespace godwit::api
