// Two replicas of the operator, of which one works.
#include "apiserver/fixture.h"

namespace godwit::apiserver {
namespace {

class Leader : public OperatorTest {
 protected:
  static bool leads(const OperatorProcess& godwit) {
    const auto answer = godwit.scrape();
    return answer.ok() && answer->body.find("godwit_leader 1") != std::string::npos;
  }
};

TEST_F(Leader, AReplicaTakesOverFromOneThatDiesWithinTwentySecondsAndNoJobIsDoubled) {
  auto first = startOperator();
  ASSERT_NE(first, nullptr);
  const auto before = awaitHolder("", 30s);
  simulator->hold(true);
  makeSource("s", "Direct", "one");
  const Json job = until(api(), r::kJobs, key("volsync-rsync-src-s"), [](const Json&) { return true; });
  auto second = startOperator();
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->probe("/readyz")->status, 200);  // waiting is fine
  EXPECT_TRUE(leads(*first));
  EXPECT_FALSE(leads(*second));
  first->kill();
  const SystemClock clock;
  const auto killed = clock.monotonic();
  EXPECT_NE(awaitHolder(before, 20s), before);
  const auto took = clock.monotonic() - killed;
  EXPECT_LT(took, Duration(20s));
  ASSERT_TRUE(simulator->finish(job).ok());
  const Json done = awaitSync(r::kReplicationSources, "s", "one");
  EXPECT_EQ(text(done, "status", "latestMoverStatus", "result"), "Successful");
  EXPECT_TRUE(leads(*second));
  EXPECT_TRUE(untilGone(api(), r::kJobs, key("volsync-rsync-src-s")));
  EXPECT_EQ(
      kubectl({"get", "events", "--field-selector", "reason=TransferStarted", "-o", "jsonpath={.items[*].count}"}),
      "1");
}

TEST_F(Leader, AReplicaThatIsToldToEndIsReplacedAtOnce) {
  auto first = startOperator(), second = startOperator();
  ASSERT_TRUE(first && second);
  const auto before = awaitHolder("", 30s);
  auto& leader = leads(*first) ? first : second;
  ASSERT_TRUE(leader->stop().ok());
  EXPECT_NE(awaitHolder(before, 5s), before);
}

}  // namespace
}  // namespace godwit::apiserver
