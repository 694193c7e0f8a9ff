#include "replication/state.h"

#include <gtest/gtest.h>

namespace godwit::replication {
namespace {

using namespace std::chrono_literals;
const TimePoint kNoon = std::chrono::sys_days{std::chrono::year{2021} / 1 / 14} + 12h;

TEST(State, TheTableIsExactlyTheContract) {
  const State all[] = {Initial{}, Synchronizing{kNoon}, CleaningUp{kNoon}};
  const std::set<std::pair<std::string, std::string>> moves = {
      {"Initial", "Initial"},          {"Initial", "Synchronizing"},    {"Synchronizing", "Synchronizing"},
      {"Synchronizing", "CleaningUp"}, {"CleaningUp", "Synchronizing"}, {"CleaningUp", "CleaningUp"}};
  for (const auto& from : all) {
    for (const auto& to : all) EXPECT_EQ(allowed(from, to), moves.contains({name(from), name(to)}));
  }
}

TEST(State, IsReadFromStatusAlone) {
  api::ReplicationStatus status;
  EXPECT_STREQ(name(stateOf(status)), "Initial");
  status.lastSyncTime = kNoon;
  EXPECT_STREQ(name(stateOf(status)), "CleaningUp");
  status.lastSyncStartTime = kNoon;
  EXPECT_STREQ(name(stateOf(status)), "Synchronizing");
  status.lastSyncTime.reset();
  EXPECT_STREQ(name(stateOf(status)), "Synchronizing");
}

TEST(State, AnIterationMeasuresItself) {
  api::ReplicationStatus status;
  ASSERT_TRUE(startSync(status, kNoon + 300ms).ok());
  EXPECT_EQ(status.lastSyncStartTime, kNoon);
  const auto took = finishSync(status, kNoon + 2500ms);
  ASSERT_TRUE(took.ok());
  EXPECT_EQ(*took, 2500ms);
  EXPECT_EQ(status.lastSyncTime, kNoon + 2s);
  EXPECT_FALSE(status.lastSyncStartTime);
}

TEST(State, AClockThatWentBackGivesNoNegativeDuration) {
  api::ReplicationStatus status;
  status.lastSyncStartTime = kNoon;
  EXPECT_EQ(*finishSync(status, kNoon - 1h), Duration{0});
}

TEST(State, WhatHasNotStartedCannotEnd) {
  api::ReplicationStatus status;
  EXPECT_TRUE(finishSync(status, kNoon).is(Errc::Internal));
  status.lastSyncTime = kNoon;
  EXPECT_TRUE(finishSync(status, kNoon).is(Errc::Internal));
  EXPECT_EQ(status.lastSyncTime, kNoon);
}

TEST(State, AStartedIterationKeepsItsStart) {
  api::ReplicationStatus status;
  ASSERT_TRUE(startSync(status, kNoon).ok());
  ASSERT_TRUE(startSync(status, kNoon + 1h).ok());
  EXPECT_EQ(status.lastSyncStartTime, kNoon);
}

}  // namespace
}  // namespace godwit::replication
