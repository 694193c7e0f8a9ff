#include "api/cron.h"

#include <date/tz.h>

#include <cstdlib>
#include <exception>

#include "api/cron_fields.h"
#include "api/quantity.h"

namespace godwit::api {

using std::chrono::minutes;
using std::chrono::seconds;

struct CronSchedule::Fields {
  seconds every{0};  // not 0: @every, and nothing else counts
  CronFields fields;
  const date::time_zone* zone = nullptr;  // nullptr: UTC
};

namespace {

// The time zone database reports errors by exceptions: this is where they end.
Result<const date::time_zone*> findZone(const std::string& name) {
  if (name == "UTC" || name == "Etc/UTC") return nullptr;
  try {
    const auto* zone = date::locate_zone(name);
    zone->get_info(date::sys_seconds{});  // reads the zone's file now, so that next() cannot fail
    return zone;
  } catch (const std::exception&) {
    return Error{Errc::Invalid, fmt::format("time zone \"{}\" is not in the system's database: use a name as "
                                            "Europe/Berlin, and install tzdata where it is missing",
                                            name)};
  }
}

// $TZ, then /etc/localtime, then UTC.
const date::time_zone* localZone() {
  if (const char* tz = std::getenv("TZ"); tz && *tz)
    if (const auto zone = findZone(*tz == ':' ? tz + 1 : tz)) return *zone;
  try {
    return date::current_zone();
  } catch (const std::exception&) {
    return nullptr;
  }
}

Result<const date::time_zone*> zoneOf(std::string_view name) {
  if (name.empty() || name == "Local") return localZone();
  return findZone(std::string(name));
}

// "CRON_TZ=Zone rest" -> Zone, and `text` becomes the rest. nullopt: no such prefix.
std::optional<std::string_view> takeZone(std::string_view& text) {
  for (const std::string_view prefix : {"CRON_TZ=", "TZ="}) {
    if (!text.starts_with(prefix)) continue;
    const auto end = std::min(text.find(' '), text.size());
    const auto zone = text.substr(prefix.size(), end - prefix.size());
    text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
    return zone.empty() ? "UTC" : zone;
  }
  return std::nullopt;
}

Result<seconds> parseEvery(std::string_view text) {
  const auto every = parseDuration(text);
  if (!every) return Error{Errc::Invalid, "@every: " + every.error().message};
  if (*every <= Duration(0)) return Error{Errc::Invalid, "@every: expected a duration of at least 1s"};
  return std::max(seconds(1), std::chrono::floor<seconds>(*every));
}

// The five fields a word such as @daily stands for; other texts are returned as they are.
Result<std::string_view> expandWord(std::string_view text) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
      {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}};
  if (!text.starts_with('@')) return text;
  for (const auto& [word, fields] : kWords)
    if (text == word) return fields;
  return Error{Errc::Invalid, fmt::format("\"{}\": expected @yearly, @annually, @monthly, @weekly, @daily, @midnight, "
                                          "@hourly or @every DURATION",
                                          text)};
}

// When the zone's clocks first show `local`; nullopt when daylight saving skips it.
std::optional<date::sys_seconds> firstInstant(const date::time_zone* zone, minutes local) {
  const date::local_seconds wall{seconds(local)};
  if (!zone) return date::sys_seconds(wall.time_since_epoch());
  const auto info = zone->get_info(wall);
  if (info.result == date::local_info::nonexistent) return std::nullopt;
  return date::sys_seconds(wall.time_since_epoch() - info.first.offset);
}

// Where every hour will do, clocks that are set back must not cost an hour of the schedule: the search walks through
// elapsed time, from one UTC offset of the zone to the next.
std::optional<date::sys_seconds> nextElapsed(const CronFields& fields, const date::time_zone* zone,
                                             date::sys_seconds after) {
  auto info = zone->get_info(after);
  auto local = std::chrono::floor<minutes>(after.time_since_epoch() + info.offset);
  while (const auto candidate = fields.next(local)) {
    const date::sys_seconds instant(*candidate - info.offset);
    if (instant < info.end) return instant;
    const auto change = info.end;
    info = zone->get_info(change);
    local = std::chrono::ceil<minutes>(change.time_since_epoch() + info.offset) - minutes(1);
  }
  return std::nullopt;
}

// Instants are nanoseconds since 1970 in 64 bits: those beyond 2261 do not fit.
std::optional<TimePoint> representable(date::sys_seconds t) {
  constexpr date::sys_seconds kEnd = std::chrono::floor<seconds>(TimePoint::max());
  return t < kEnd ? std::optional<TimePoint>(t) : std::nullopt;
}

}  // namespace

Result<CronSchedule> CronSchedule::parse(std::string_view text, std::string_view zone) {
  constexpr std::size_t kLongest = 1024;
  if (text.size() > kLongest) return Error{Errc::Invalid, fmt::format("longer than {} characters", kLongest)};
  Fields fields;
  GODWIT_ASSIGN(fields.zone, zoneOf(takeZone(text).value_or(zone)));
  constexpr std::string_view kEvery = "@every ";
  if (text.starts_with(kEvery)) {
    GODWIT_ASSIGN(fields.every, parseEvery(text.substr(kEvery.size())));
  } else {
    GODWIT_ASSIGN(const auto five, expandWord(text));
    GODWIT_ASSIGN(fields.fields, CronFields::parse(five));
  }
  CronSchedule schedule;
  schedule.fields_ = std::make_shared<const Fields>(fields);
  return schedule;
}

std::optional<TimePoint> CronSchedule::next(TimePoint t) const {
  const auto second = std::chrono::floor<seconds>(t);
  if (fields_->every > seconds(0)) return representable(second + fields_->every);
  const auto* zone = fields_->zone;
  if (zone && fields_->fields.everyHour()) {
    const auto instant = nextElapsed(fields_->fields, zone, second);
    return instant ? representable(*instant) : std::nullopt;
  }
  const seconds offset = zone ? zone->get_info(second).offset : seconds(0);
  auto local = std::chrono::floor<minutes>(second.time_since_epoch() + offset);
  while (const auto candidate = fields_->fields.next(local)) {
    const auto instant = firstInstant(zone, *candidate);
    if (instant && *instant > second) return representable(*instant);  // not after t: the second showing of that hour
    local = *candidate;
  }
  return std::nullopt;
}

}  // namespace godwit::api
