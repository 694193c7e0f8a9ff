// Cron schedules (contract section 1, trigger.schedule): five fields with lists, ranges, steps and names, the @-words,
// `@every DURATION`, and the prefix `CRON_TZ=Zone ` (or `TZ=Zone `). Time zones by the system's tz database.
#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace godwit::api {

class CronSchedule {
 public:
  // Invalid names the field and the value that is wrong. `zone` is the controller's ("" = the machine's local zone).
  static Result<CronSchedule> parse(std::string_view text, std::string_view zone = "");

  // The first instant strictly after `t` at which the schedule fires; nullopt when none within five years (Feb 30).
  // Local times that daylight saving skips do not fire; those that occur twice fire once, the first time, unless the
  // schedule says every hour: then clocks that are set back cost nobody an hour of "*/5 * * * *".
  std::optional<TimePoint> next(TimePoint t) const;

 private:
  struct Fields;
  std::shared_ptr<const Fields> fields_;
};

}  // namespace godwit::api
