#include "api/cron.h"

#include "api/meta.h"
#include "fuzz/fuzz.h"

using namespace godwit;

GODWIT_FUZZ_TARGET(cron, "*/5 * * * *", "0 12 1,15-20/2 jan-mar mon-fri", "CRON_TZ=Europe/Berlin 30 2 * * *",
                   "@every 1m30s", "TZ=UTC @daily", "59 23 31 12 7", "? ? 29 feb ?") {
  const auto schedule = api::CronSchedule::parse(input, "UTC");
  if (!schedule) return fuzz::require(!schedule.error().message.empty(), "a refusal without a message");
  for (const char* start : {"2021-03-28T00:59:59Z", "2024-02-29T00:00:00Z", "2261-12-31T23:59:59Z"}) {
    auto t = *api::parseTime(start);
    for (int i = 0; i < 3; ++i) {
      const auto next = schedule->next(t);
      if (!next) break;
      fuzz::require(*next > t, "next() does not go on");
      t = *next;
    }
  }
}
