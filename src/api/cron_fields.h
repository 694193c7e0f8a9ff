// The five fields of a cron schedule as bit sets, and the search for the next wall-clock minute that matches them.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace godwit::api {

struct CronFields {
  std::uint64_t minute = 0, hour = 0, day = 0, month = 0, weekday = 0;  // bit n: value n matches; weekday 0 is Sunday
  bool anyDay = false, anyWeekday = false;  // written `*` or `?`: then only the other of the two decides

  // As robfig/cron: lists, ranges, steps, `N/step` = N to the end, names in any case. 7 is Sunday too.
  static Result<CronFields> parse(std::string_view text);

  bool everyHour() const { return hour == (1u << 24) - 1; }
  bool matches(std::chrono::year_month_day date) const;
  // The first matching minute after `local` (wall-clock minutes since 1970); nullopt when none within five years.
  std::optional<std::chrono::minutes> next(std::chrono::minutes local) const;
};

}  // namespace godwit::api
