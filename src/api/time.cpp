// RFC 3339 both ways.

#include "api/meta.h"

namespace godwit::api {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::string formatTime(TimePoint t) {
  const auto day = std::chrono::floor<days>(t);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<seconds>(t - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count());
}

namespace {

// Eats an RFC 3339 text from the left; after the first mismatch everything else fails too.
struct Scanner {
  std::string_view rest;
  bool good = true;

  int digits(std::size_t count, int least, int most) {
    int value = 0;
    good = good && rest.size() >= count;
    for (std::size_t i = 0; good && i < count; ++i) {
      good = rest[i] >= '0' && rest[i] <= '9';
      value = value * 10 + (rest[i] - '0');
    }
    good = good && value >= least && value <= most;
    if (good) rest.remove_prefix(count);
    return good ? value : 0;
  }

  bool one(std::string_view choices) {
    if (!good || rest.empty() || choices.find(rest[0]) == choices.npos) return false;
    rest.remove_prefix(1);
    return true;
  }

  void expect(std::string_view choices) { good = one(choices); }

  // ".123456789": at least one digit; what is finer than a nanosecond is dropped.
  Duration fraction() {
    if (!one(".")) return Duration(0);
    std::int64_t nanos = 0;
    int count = 0;
    for (; !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; ++count, rest.remove_prefix(1))
      if (count < 9) nanos = nanos * 10 + (rest[0] - '0');
    good = good && count > 0;
    for (; count < 9; ++count) nanos *= 10;
    return Duration(nanos);
  }

  minutes offset() {
    if (one("Zz")) return minutes(0);
    const bool west = !rest.empty() && rest[0] == '-';
    expect("+-");
    const hours h(digits(2, 0, 23));
    expect(":");
    const minutes m(digits(2, 0, 59));
    return west ? -(h + m) : h + m;
  }
};

}  // namespace

Result<TimePoint> parseTime(std::string_view text) {
  Scanner in{text};
  const std::chrono::year year(in.digits(4, 1678, 2261));  // what nanoseconds since 1970 can count, whole years
  in.expect("-");
  const std::chrono::month month(static_cast<unsigned>(in.digits(2, 1, 12)));
  in.expect("-");
  const std::chrono::day day(static_cast<unsigned>(in.digits(2, 1, 31)));
  in.expect("Tt");
  const hours h(in.digits(2, 0, 23));
  in.expect(":");
  const minutes m(in.digits(2, 0, 59));
  in.expect(":");
  const seconds s(in.digits(2, 0, 59));
  const Duration fraction = in.fraction();
  const minutes offset = in.offset();
  const std::chrono::year_month_day date(year, month, day);
  if (!in.good || !in.rest.empty() || !date.ok())
    return Error{Errc::Invalid, "not a time: write it as 2021-01-14T19:43:07Z (RFC 3339)"};
  return TimePoint(std::chrono::sys_days(date)) + h + m + s + fraction - offset;
}

}  // namespace godwit::api
