#include "replication/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit::replication {
namespace {

Json source(const Json& spec, const Json& status) {
  return {{"apiVersion", api::kApiVersion},
          {"kind", "ReplicationSource"},
          {"metadata", {{"name", "s"}, {"namespace", "ns"}, {"uid", "u"}}},
          {"spec", spec},
          {"status", status}};
}

TEST(Watched, ASpecOfAWrongTypeKeepsTheStatus) {
  const auto watched = watchedFromJson(source({{"sourcePVC", 7}}, {{"lastSyncTime", "2021-01-14T19:43:07Z"}}));
  EXPECT_THAT(watched.problem, testing::HasSubstr("sourcePVC"));
  EXPECT_TRUE(watched.status.lastSyncTime);
  EXPECT_EQ(watched.meta.uid, "u");
}

TEST(Watched, NonsenseInStatusCostsOnlyItself) {
  const auto watched = watchedFromJson(
      source({{"sourcePVC", "data"}}, {{"lastSyncTime", "yesterday"}, {"lastSyncStartTime", "2021-01-14T19:43:07Z"}}));
  EXPECT_EQ(watched.problem, "");
  EXPECT_EQ(watched.spec.sourcePVC, "data");
  EXPECT_FALSE(watched.status.lastSyncTime);
  EXPECT_TRUE(watched.status.lastSyncStartTime);
}

TEST(Watched, OnlyWhatIsReadIsKept) {
  auto object =
      source({{"sourcePVC", "data"}}, {{"latestMoverStatus", {{"result", "Failed"}, {"logs", "first\nsecond"}}}});
  object["metadata"]["labels"] = {{"team", "shop"}, {"app.kubernetes.io/created-by", "volsync"}};
  object["metadata"]["annotations"] = {{"kubectl.kubernetes.io/last-applied-configuration", "{}"},
                                       {"volsync.backube/enable-debug-mover", "yes"}};
  const auto watched = watchedFromJson(object);
  EXPECT_EQ(watched.meta.labels, (api::StringMap{{"app.kubernetes.io/created-by", "volsync"}}));
  EXPECT_EQ(watched.meta.annotations, (api::StringMap{{"volsync.backube/enable-debug-mover", "yes"}}));
  EXPECT_EQ(watched.status.latestMoverStatus->logs, "first\n");
}

TEST(Watched, SecretsLeaveOnlyTheNamesOfTheirFields) {
  const auto card = secretCard({{"metadata", {{"name", "k"}}}, {"data", {{"source", "c2VjcmV0"}, {"empty", ""}}}});
  EXPECT_THAT(card.fields, testing::ElementsAre("source"));
}

}  // namespace
}  // namespace godwit::replication
