#include "replication/trigger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit::replication {
namespace {

using namespace std::chrono_literals;
const TimePoint kNoon = std::chrono::sys_days{std::chrono::year{2021} / 1 / 14} + 12h;

api::ReplicationSpec spec(std::optional<std::string> schedule, std::optional<std::string> manual) {
  api::ReplicationSpec out;
  out.trigger = api::Trigger{std::move(schedule), std::move(manual)};
  return out;
}
api::ReplicationStatus syncedAt(TimePoint t) {
  api::ReplicationStatus out;
  out.lastSyncTime = t;
  return out;
}

TEST(Trigger, ManualWinsOverScheduleAndEmptyCountsAsAbsent) {
  EXPECT_EQ(triggerKind({}), TriggerKind::Always);
  EXPECT_EQ(triggerKind(spec({}, {})), TriggerKind::Always);
  EXPECT_EQ(triggerKind(spec("", "")), TriggerKind::Always);
  EXPECT_EQ(triggerKind(spec("* * * * *", "")), TriggerKind::Schedule);
  EXPECT_EQ(triggerKind(spec("* * * * *", "now")), TriggerKind::Manual);
}

TEST(Trigger, ManualIsDueOncePerValue) {
  auto status = syncedAt(kNoon);
  EXPECT_TRUE(timing(spec({}, "a"), status, kNoon, "UTC")->due);
  status.lastManualSync = "a";
  EXPECT_FALSE(timing(spec({}, "a"), status, kNoon, "UTC")->due);
  EXPECT_TRUE(timing(spec({}, "b"), status, kNoon, "UTC")->due);
}

TEST(Trigger, AScheduleIsDueAtItsInstantAndMissedAtTheSecond) {
  const auto every5 = spec("*/5 * * * *", {});
  const auto at = [&](Duration after) { return *timing(every5, syncedAt(kNoon + 10s), kNoon + after, "UTC"); };
  EXPECT_EQ(at(20s).next, kNoon + 5min);
  EXPECT_EQ(at(20s).deadline, kNoon + 10min);
  EXPECT_FALSE(at(5min - 1ns).due);
  EXPECT_TRUE(at(5min).due);
  EXPECT_FALSE(at(10min).missed);
  EXPECT_TRUE(at(10min + 1ns).missed);
}

TEST(Trigger, TheFirstIterationWaitsForNothing) {
  EXPECT_TRUE(timing(spec("@yearly", {}), {}, kNoon, "UTC")->due);
  EXPECT_TRUE(timing(spec({}, "x"), {}, kNoon, "UTC")->due);
  EXPECT_TRUE(timing({}, {}, kNoon, "UTC")->due);
}

TEST(Trigger, AScheduleThatNeverFiresIsNeverDue) {
  const auto never = timing(spec("0 0 30 2 *", {}), syncedAt(kNoon), kNoon + 24h * 365, "UTC");
  ASSERT_TRUE(never.ok());
  EXPECT_FALSE(never->due);
  EXPECT_FALSE(never->next);
}

TEST(Trigger, ABadScheduleNamesItsField) {
  const auto bad = timing(spec("61 * * * *", {}), syncedAt(kNoon), kNoon, "UTC");
  ASSERT_TRUE(bad.is(Errc::Invalid));
  EXPECT_THAT(bad.error().message, testing::StartsWith("spec.trigger.schedule: "));
}

}  // namespace
}  // namespace godwit::replication
