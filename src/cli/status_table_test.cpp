#include "cli/status_table.h"

#include <gtest/gtest.h>

namespace godwit::cli {
namespace {

using namespace std::chrono;

const TimePoint kNow{sys_days{2026y / 3 / 1} + hours(12)};

api::Replication source() {
  api::Replication object;
  object.meta.ns = "source";
  object.meta.name = "mysource";
  return object;
}

TEST(StatusRow, OfAnObjectNobodyHasSeenYet) {
  const auto row = statusRow(source(), kNow, "47%");
  EXPECT_EQ(row.state, "New");
  EXPECT_EQ(row.role, "source");
  EXPECT_EQ(row.lastSync, "");
  EXPECT_EQ(row.progress, "") << "no sync is in progress";
}

TEST(StatusRow, OfASyncInProgress) {
  auto object = source();
  object.status.lastSyncStartTime = kNow - seconds(5);
  object.status.lastSyncTime = kNow - seconds(65);
  object.status.lastSyncDuration = milliseconds(1540);
  object.status.setCondition({"Synchronizing", "True", "SyncInProgress", "Synchronization in-progress"}, kNow);
  const auto row = statusRow(object, kNow, "47%");
  EXPECT_EQ(row.state, "Syncing");
  EXPECT_EQ(row.lastSync, "1m5s ago");
  EXPECT_EQ(row.duration, "1.5s");
  EXPECT_EQ(row.progress, "47%");
}

TEST(StatusRow, ShowsTheErrorOfEitherCondition) {
  auto object = source();
  object.status.setCondition({"Synchronizing", "False", "Error", "spec.rsync.copyMethod:\nmissing"}, kNow);
  EXPECT_EQ(statusRow(object, kNow, "").state, "Error");
  EXPECT_EQ(statusRow(object, kNow, "").message, "spec.rsync.copyMethod: missing") << "no control characters";
  object.status.setCondition({"Reconciled", "False", "ReconcileError", "no such Secret"}, kNow);
  EXPECT_EQ(statusRow(object, kNow, "").message, "no such Secret");
}

TEST(StatusRow, CountsDownToTheNextSync) {
  auto object = source();
  object.status.nextSyncTime = kNow + seconds(25);
  EXPECT_EQ(statusRow(object, kNow, "").next, "in 25s");
  object.status.nextSyncTime = kNow - seconds(1);
  EXPECT_EQ(statusRow(object, kNow, "").next, "due");
  object.spec.paused = true;
  EXPECT_EQ(statusRow(object, kNow, "").state, "Paused");
}

TEST(StatusRow, SaysWhereADestinationListens) {
  auto object = source();
  object.status.rsync = api::RsyncStatus{"10.96.0.1", std::nullopt, "keys"};
  EXPECT_EQ(statusRow(object, kNow, "").address, "10.96.0.1");
  EXPECT_EQ(statusRow(object, kNow, "").port, "22") << "the default";
  object.spec.rsync.emplace().port = 8522;
  EXPECT_EQ(statusRow(object, kNow, "").port, "8522") << "as asked";
  object.status.rsync->port = 31022;
  EXPECT_EQ(statusRow(object, kNow, "").port, "31022") << "the one in use";
}

TEST(StatusTable, PadsByCharactersNotBytes) {
  const std::string table = statusTable({{"a", "é", "source", "New"}, {"b", "xy", "destination", "Error"}}, true);
  EXPECT_EQ(table,
            "NAMESPACE   NAME   ROLE          STATE   LAST-SYNC   DURATION   NEXT   PROGRESS   MESSAGE\n"
            "a           é      source        New     -           -          -      -          -\n"
            "b           xy     destination   Error   -           -          -      -          -\n");
}

TEST(StatusTable, WithoutNamespaceAndCutToTheTerminal) {
  EXPECT_EQ(statusTable({{"a", "long-name", "source", "New"}}, false, 8), "NAME   …\nlong-na…\n");
}

TEST(StatusJson, NamesEveryColumn) {
  const auto json = statusJson({{"a", "b", "source", "New"}});
  EXPECT_EQ(json["items"][0]["state"], "New");
  EXPECT_EQ(json["items"][0].size(), 12u);
}

TEST(ShortDuration, TwoLargestUnits) {
  EXPECT_EQ(shortDuration(-seconds(3)), "0s");
  EXPECT_EQ(shortDuration(seconds(59)), "59s");
  EXPECT_EQ(shortDuration(seconds(60)), "1m");
  EXPECT_EQ(shortDuration(seconds(3599)), "59m59s");
  EXPECT_EQ(shortDuration(hours(3) + minutes(7)), "3h7m");
  EXPECT_EQ(shortDuration(hours(76)), "3d4h");
}

TEST(Fit, NeverCutsACharacterInHalf) {
  EXPECT_EQ(fit("ééé", 3), "ééé");
  EXPECT_EQ(fit("éééé", 3), "éé…");
  EXPECT_EQ(fit("abc", 0), "");
}

}  // namespace
}  // namespace godwit::cli
