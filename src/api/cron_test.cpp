#include "api/cron.h"

#include <date/tz.h>
#include <gmock/gmock.h>

#include <random>

#include "api/cron_fields.h"
#include "api/meta.h"

using namespace godwit;
using namespace godwit::api;
using std::chrono::minutes;
using testing::HasSubstr;

static std::string nextOf(const char* schedule, const char* after, const char* zone = "UTC") {
  const auto parsed = CronSchedule::parse(schedule, zone);
  if (!parsed) return parsed.error().message;
  const auto next = parsed->next(*parseTime(after));
  return next ? formatTime(*next) : "never";
}

TEST(Cron, NextInstant) {
  const struct {
    const char *schedule, *after, *next;
  } cases[] = {
      {"*/5 * * * *", "2021-01-14T20:10:07Z", "2021-01-14T20:15:00Z"},
      {"*/5 * * * *", "2021-01-14T20:15:00Z", "2021-01-14T20:20:00Z"},
      {"*/5 * * * *", "2021-01-14T20:14:59.999Z", "2021-01-14T20:15:00Z"},
      {"0 0 29 2 *", "2021-01-01T00:00:00Z", "2024-02-29T00:00:00Z"},
      {"0 0 30 2 *", "2021-01-01T00:00:00Z", "never"},
      {"59 23 31 12 *", "2021-12-31T23:59:00Z", "2022-12-31T23:59:00Z"},
      {"15,45 1-3 * * *", "2021-01-01T01:45:00Z", "2021-01-01T02:15:00Z"},
      {"0 12 * jan,Mar-MAY mon", "2021-01-26T00:00:00Z", "2021-03-01T12:00:00Z"},
      {"0 0 * * 7", "2021-01-01T00:00:00Z", "2021-01-03T00:00:00Z"},
      {"0 0 * * 5-7", "2021-01-02T00:00:00Z", "2021-01-03T00:00:00Z"},
      {"0 0 * * 7/2", "2021-01-01T00:00:00Z", "2021-01-03T00:00:00Z"},
      {"0 0 * * 1/2", "2021-01-01T00:00:00Z", "2021-01-04T00:00:00Z"},
      {"30/10 ? * * ?", "2021-01-01T00:51:00Z", "2021-01-01T01:30:00Z"},
      {"0 0 13 * 5", "2021-01-02T00:00:00Z", "2021-01-08T00:00:00Z"},  // either day decides
      {"0 0 13 * *", "2021-01-02T00:00:00Z", "2021-01-13T00:00:00Z"},
      {"0 0 */2 * 5", "2021-01-02T00:00:00Z", "2021-01-03T00:00:00Z"},  // a stepped star is no star
      {"@hourly", "2021-01-01T00:00:00Z", "2021-01-01T01:00:00Z"},
      {"@daily", "2021-01-01T00:00:00Z", "2021-01-02T00:00:00Z"},
      {"@midnight", "2021-01-01T00:00:00Z", "2021-01-02T00:00:00Z"},
      {"@weekly", "2021-01-01T00:00:00Z", "2021-01-03T00:00:00Z"},
      {"@monthly", "2021-01-01T00:00:00Z", "2021-02-01T00:00:00Z"},
      {"@yearly", "2021-01-01T00:00:00Z", "2022-01-01T00:00:00Z"},
      {"@annually", "2021-01-01T00:00:00Z", "2022-01-01T00:00:00Z"},
      {"@every 90s", "2021-01-01T00:00:00.5Z", "2021-01-01T00:01:30Z"},
      {"@every 1ms", "2021-01-01T00:00:00.5Z", "2021-01-01T00:00:01Z"},
      {"CRON_TZ=Europe/Berlin 0 6 * * *", "2021-07-01T00:00:00Z", "2021-07-01T04:00:00Z"},
      {"TZ=Asia/Kolkata 0 6 * * *", "2021-07-01T01:00:00Z", "2021-07-02T00:30:00Z"},
      {"CRON_TZ=America/New_York @daily", "2021-01-01T00:00:00Z", "2021-01-01T05:00:00Z"},
      {"  0\t6  * * * ", "2021-07-01T00:00:00Z", "2021-07-01T06:00:00Z"},
      {"* * * * *", "2261-12-31T23:59:59Z", "2262-01-01T00:00:00Z"},
  };
  for (const auto& c : cases) EXPECT_EQ(nextOf(c.schedule, c.after), c.next) << c.schedule;
}

TEST(Cron, SkippedTimesDoNotFireAndRepeatedOnesFireOnce) {
  EXPECT_EQ(nextOf("30 2 * * *", "2021-03-27T12:00:00Z", "Europe/Berlin"), "2021-03-29T00:30:00Z");
  EXPECT_EQ(nextOf("30 2 * * *", "2021-10-30T12:00:00Z", "Europe/Berlin"), "2021-10-31T00:30:00Z");
  EXPECT_EQ(nextOf("30 2 * * *", "2021-10-31T00:30:00Z", "Europe/Berlin"), "2021-11-01T01:30:00Z");
  EXPECT_EQ(nextOf("30 2 * * *", "2021-10-31T01:10:00Z", "Europe/Berlin"), "2021-11-01T01:30:00Z");
  EXPECT_EQ(nextOf("0 12 30 12 *", "2011-12-01T00:00:00Z", "Pacific/Apia"),
            "2012-12-29T22:00:00Z");  // a day that never was
}

TEST(Cron, EveryHourMeansTheRepeatedOneToo) {
  EXPECT_EQ(nextOf("*/5 * * * *", "2021-10-31T00:55:00Z", "Europe/Berlin"), "2021-10-31T01:00:00Z");
  EXPECT_EQ(nextOf("*/5 * * * *", "2021-10-31T01:00:00Z", "Europe/Berlin"), "2021-10-31T01:05:00Z");
  EXPECT_EQ(nextOf("30 * * * *", "2021-03-28T00:30:00Z", "Europe/Berlin"), "2021-03-28T01:30:00Z");
}

TEST(Cron, RefusalsNameFieldAndValue) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "found 0"},
      {"* * * *", "found 4"},
      {"* * * * * *", "found 6"},
      {"60 * * * *", "minute \"60\": expected 0-59"},
      {"* 24 * * *", "hour \"24\""},
      {"* * 0 * *", "day of month \"0\": expected 1-31"},
      {"* * * 13 *", "month \"13\""},
      {"* * * * 8", "day of week \"8\": expected 0-7"},
      {"* * * * sunday", "day of week \"sunday\""},
      {"5-1 * * * *", "minute \"5-1\""},
      {"*/0 * * * *", "minute \"*/0\""},
      {"1-2-3 * * * *", "minute"},
      {"1/2/3 * * * *", "minute"},
      {"1, * * * *", "minute"},
      {"-1 * * * *", "minute"},
      {"1- * * * *", "minute"},
      {"99999999999999999999 * * * *", "minute"},
      {"jan * * * *", "minute"},
      {"@reboot", "@hourly"},
      {"@every", "@hourly"},
      {"@every soon", "@every: not a duration"},
      {"@every -1s", "@every: expected"},
      {"CRON_TZ=Mars/Base * * * * *", "time zone \"Mars/Base\""},
      {"CRON_TZ=../../etc/passwd * * * * *", "time zone"},
      {"CRON_TZ=UTC", "found 0"},
  };
  for (const auto& [text, message] : cases) {
    const auto parsed = CronSchedule::parse(text);
    ASSERT_TRUE(parsed.is(Errc::Invalid)) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr(message)) << text;
  }
  EXPECT_TRUE(CronSchedule::parse("* * * * *", "Nowhere").is(Errc::Invalid));
  EXPECT_TRUE(CronSchedule::parse(std::string(2000, '*')).is(Errc::Invalid));
}

TEST(Cron, NothingBeyondTheEndOfTime) {
  EXPECT_EQ(CronSchedule::parse("@every 2562047h")->next(*parseTime("2261-01-01T00:00:00Z")), std::nullopt);
  EXPECT_EQ(CronSchedule::parse("* * * * *", "UTC")->next(TimePoint::max()), std::nullopt);
  EXPECT_TRUE(CronSchedule::parse("* * * * *", "UTC")->next(TimePoint::min()).has_value());
}

// Walks real minutes and asks the zone what its clocks show: slow, simple, and nothing shared with next().
static std::optional<TimePoint> scanMinutes(const CronFields& fields, const date::time_zone* zone, TimePoint t,
                                            TimePoint end) {
  for (auto m = std::chrono::floor<minutes>(t) + minutes(1); m <= end; m += minutes(1)) {
    const auto wall = std::chrono::floor<minutes>(m.time_since_epoch() + zone->get_info(m).offset);
    const auto day = std::chrono::floor<std::chrono::days>(wall);
    const auto minute = static_cast<unsigned>((wall - day).count());
    const auto info = zone->get_info(date::local_time<minutes>(wall));
    const bool again = info.result == date::local_info::ambiguous && zone->get_info(m).offset == info.second.offset;
    if ((!again || fields.everyHour()) && fields.matches(std::chrono::sys_days(day)) &&
        fields.hour >> minute / 60 & 1 && fields.minute >> minute % 60 & 1)
      return m;
  }
  return std::nullopt;
}

TEST(Cron, AgreesWithAMinuteScanAroundClockChanges) {
  const std::pair<const char*, const char*> changes[] = {
      {"Europe/Berlin", "2021-03-28T01:00:00Z"},       {"Europe/Berlin", "2021-10-31T01:00:00Z"},
      {"America/New_York", "2021-03-14T07:00:00Z"},    {"America/New_York", "2021-11-07T06:00:00Z"},
      {"Australia/Lord_Howe", "2021-04-03T15:00:00Z"}, {"Australia/Lord_Howe", "2021-10-02T15:30:00Z"},
      {"Asia/Kathmandu", "2021-06-01T00:00:00Z"},      {"America/St_Johns", "2021-11-07T04:30:00Z"}};
  const char* schedules[] = {"* * * * *", "*/7 * * * *",    "30 2 * * *",  "0 * * * *", "15,45 1-3 * * *",
                             "0 0 * * 0", "59 23 28 * sun", "5 */2 * * *", "45 1 * * *"};
  std::mt19937_64 random(7);
  for (const auto& [zoneName, change] : changes) {
    const auto* zone = date::locate_zone(zoneName);
    const auto centre = *parseTime(change);
    for (const char* text : schedules) {
      const auto schedule = *CronSchedule::parse(text, zoneName);
      const auto fields = *CronFields::parse(text);
      for (int i = 0; i < 12; ++i) {
        const auto t = centre + std::chrono::seconds(static_cast<std::int64_t>(random() % 21600) - 10800);
        const auto end = t + std::chrono::hours(50);
        const auto next = schedule.next(t), expected = scanMinutes(fields, zone, t, end);
        EXPECT_GT(next.value_or(TimePoint::max()), t);
        EXPECT_EQ(next && *next <= end ? next : std::nullopt, expected)
            << zoneName << " " << text << " " << formatTime(t);
      }
    }
  }
}
