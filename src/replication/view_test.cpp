#include "replication/view.h"

#include <gtest/gtest.h>

#include "api/core.h"

namespace godwit::replication {
namespace {

using namespace std::chrono_literals;

Json job(const std::string& uid, int version, bool leaving = false) {
  Json out = {
      {"metadata", {{"namespace", "ns"}, {"name", "j"}, {"uid", uid}, {"resourceVersion", std::to_string(version)}}}};
  if (leaving) out["metadata"]["deletionTimestamp"] = "2021-01-14T19:43:07Z";
  return out;
}

class ViewOfJobs : public testing::Test {
 protected:
  ManualClock clock_{TimePoint{}};
  View<api::Job> view_{clock_, api::jobFromJson};
  std::string seen() const {
    const auto object = view_.get({"ns", "j"});
    EXPECT_EQ(view_.list("ns").size(), object ? 1u : 0u);
    return object ? object->meta.uid + "@" + object->meta.resourceVersion : "nothing";
  }
  api::ObjectMeta meta(const std::string& uid) const { return api::metaFromJson(job(uid, 0)); }
};

TEST_F(ViewOfJobs, WhatWasWrittenIsThereBeforeTheWatchSaysSo) {
  view_.wrote(job("a", 5));
  EXPECT_EQ(seen(), "a@5");
  view_.cache().upsert(job("a", 3));
  EXPECT_EQ(seen(), "a@5") << "an older event";
  view_.cache().upsert(job("a", 7));
  EXPECT_EQ(seen(), "a@7");
  view_.cache().erase(job("a", 8));
  EXPECT_EQ(seen(), "nothing");
}

TEST_F(ViewOfJobs, WhatWasRemovedIsGoneBeforeTheWatchSaysSo) {
  view_.cache().upsert(job("a", 1));
  view_.removed(meta("a"));
  EXPECT_EQ(seen(), "nothing");
  view_.cache().upsert(job("a", 2));
  EXPECT_EQ(seen(), "nothing") << "an event from before the removal";
  view_.cache().erase(job("a", 3));
  view_.cache().upsert(job("b", 4));
  EXPECT_EQ(seen(), "b@4") << "its successor";
}

// The watch broke before it brought what was written, and came back after that was gone again.
TEST_F(ViewOfJobs, WhatALaterListDoesNotHoldIsGoneAndSaidToBe) {
  std::string told;
  view_.cache().listen([&](const api::Job* before, const api::Job* after) {
    told += (before ? before->meta.uid : "-") + ">" + (after ? after->meta.uid : "-") + " ";
  });
  const auto list = [&](const std::vector<Json>& items, const char* version) {
    view_.cache().begin();
    view_.cache().page(items);
    view_.cache().finish(version);
  };
  list({job("a", 1)}, "1");
  view_.wrote(job("b", 5));
  list({job("a", 1)}, "4");
  EXPECT_EQ(seen(), "b@5") << "an older list";
  list({}, "7");
  EXPECT_EQ(seen(), "nothing");
  EXPECT_EQ(told, "->a a>a a>- b>- ");
  view_.wrote(job("c", 8));
  list({job("c", 9)}, "9");
  EXPECT_EQ(seen(), "c@9");
}

TEST_F(ViewOfJobs, WhatWasRemovedBeforeTheWatchHasShownItIsGoneAllTheSame) {
  view_.wrote(job("a", 5));
  view_.removed(meta("a"));
  EXPECT_EQ(seen(), "nothing");
  view_.cache().upsert(job("a", 5));
  EXPECT_EQ(seen(), "nothing") << "the event of its creation";
  view_.wrote(job("b", 8));
  view_.cache().upsert(job("a", 6, true));
  EXPECT_EQ(seen(), "b@8") << "its successor";
}

TEST_F(ViewOfJobs, ARemovedObjectThatAFinalizerHoldsIsSeenLeaving) {
  view_.cache().upsert(job("a", 1));
  view_.removed(meta("a"));
  view_.cache().upsert(job("a", 2, true));
  EXPECT_EQ(seen(), "a@2");
  EXPECT_TRUE(view_.get({"ns", "j"})->meta.deletionTimestamp);
}

TEST_F(ViewOfJobs, TheDeletionOfAPredecessorDoesNotHideWhatWasWritten) {
  view_.cache().upsert(job("a", 1));
  view_.wrote(job("b", 5));
  view_.cache().erase(job("a", 4));
  EXPECT_EQ(seen(), "b@5");
}

TEST_F(ViewOfJobs, AnEventThatNeverComesIsNotWaitedForForEver) {
  view_.wrote(job("a", 5));
  clock_.advance(61s);
  EXPECT_EQ(seen(), "nothing");
}

}  // namespace
}  // namespace godwit::replication
