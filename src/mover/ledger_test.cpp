#include "mover/ledger.h"

#include <gtest/gtest.h>

#include "mover/retry.h"

namespace godwit::mover {
namespace {

TEST(Ledger, EndsAfterACompletePush) {
  Ledger ledger;
  EXPECT_FALSE(ledger.begin(1, true));
  ledger.askShutdown(2, 0, 7);
  EXPECT_FALSE(ledger.decide()) << "a transfer is running";
  ledger.end(1, 0);
  const auto verdict = ledger.decide();
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->refusal);
  EXPECT_EQ(verdict->id, 2);
  EXPECT_EQ(verdict->session, 7);
  EXPECT_TRUE(ledger.begin(3, true)) << "nothing starts any more";
}

TEST(Ledger, RefusesAfterAFailureAndAcceptsAfterTheRetry) {
  Ledger ledger;
  (void)ledger.begin(1, true);
  ledger.end(1, 23);
  ledger.askShutdown(2, 0, 1);
  EXPECT_TRUE(ledger.decide()->refusal);
  (void)ledger.begin(3, true);
  ledger.end(3, 0);
  ledger.askShutdown(4, 5, 1);
  const auto verdict = ledger.decide();
  EXPECT_FALSE(verdict->refusal);
  EXPECT_EQ(verdict->code, 5);
}

TEST(Ledger, CountsACutConnectionAsAFailure) {
  Ledger ledger;
  (void)ledger.begin(1, true);
  ledger.closed(1);
  ledger.askShutdown(2, 0, 1);
  EXPECT_TRUE(ledger.decide()->refusal);
}

TEST(Ledger, LetsTheNewestPushDecide) {
  Ledger ledger;
  (void)ledger.begin(1, true);
  (void)ledger.begin(2, true);
  ledger.end(2, 0);
  ledger.closed(1);  // the stale connection of a source that died is noticed late
  ledger.askShutdown(3, 0, 1);
  EXPECT_FALSE(ledger.decide()->refusal);
}

TEST(Ledger, IgnoresReadersAndVanishedFiles) {
  Ledger ledger;
  (void)ledger.begin(1, true);
  ledger.end(1, 24);
  (void)ledger.begin(2, false);
  ledger.end(2, 12);
  ledger.askShutdown(3, 0, 1);
  EXPECT_FALSE(ledger.decide()->refusal);
}

TEST(Ledger, WantsEverythingAnewOnceWhatWasWrittenMayBeLost) {
  Ledger ledger;
  (void)ledger.begin(1, true);
  ledger.end(1, 0);
  ledger.askShutdown(2, 0, 1);
  EXPECT_FALSE(ledger.decide()->refusal);
  EXPECT_FALSE(ledger.distrusts());
  ledger.distrust();
  EXPECT_TRUE(ledger.distrusts());
  ledger.askShutdown(3, 0, 1);
  EXPECT_TRUE(ledger.decide()->refusal) << "nothing was sent since";
  (void)ledger.begin(4, true);
  ledger.end(4, 23);
  ledger.askShutdown(5, 0, 1);
  EXPECT_TRUE(ledger.decide()->refusal);
  (void)ledger.begin(6, false);
  ledger.end(6, 0);
  ledger.askShutdown(7, 0, 1);
  EXPECT_TRUE(ledger.decide()->refusal) << "a reader wrote nothing";
  (void)ledger.begin(8, true);
  ledger.end(8, 0);
  ledger.askShutdown(9, 0, 1);
  EXPECT_FALSE(ledger.decide()->refusal);
  EXPECT_TRUE(ledger.distrusts()) << "until the destination has ended";
}

TEST(Ledger, ForgetsAnAskerThatWentAwayAndListensOnWithDistrust) {
  Ledger ledger;
  (void)ledger.begin(1, true);
  ledger.askShutdown(2, 0, 1);
  ledger.closed(2);
  ledger.end(1, 0);
  EXPECT_FALSE(ledger.decide());
  ledger.askShutdown(3, 0, 1);
  EXPECT_TRUE(ledger.decide());
  ledger.distrust();
  EXPECT_FALSE(ledger.begin(4, true));
}

TEST(ConnectRetry, Goes50MillisecondsToOneSecondFor62Seconds) {
  using std::chrono::milliseconds;
  const ConnectRetry retry{std::chrono::seconds(7)};
  Duration now = std::chrono::seconds(7);
  std::vector<Duration> delays;
  while (const auto delay = retry.next(now)) {
    delays.push_back(*delay);
    now += *delay;
  }
  EXPECT_EQ(delays[0], milliseconds(50));
  EXPECT_EQ(*retry.next(std::chrono::seconds(9)), milliseconds(200));
  EXPECT_EQ(delays[delays.size() - 2], milliseconds(1000));
  EXPECT_LE(delays.size(), 100u);
  EXPECT_EQ(now, std::chrono::seconds(7 + 62));
}

TEST(TransferRetry, TriesFiveTimesFromTwoSecondsDoubling) {
  TransferRetry retry;
  for (const int seconds : {2, 4, 8, 16}) EXPECT_EQ(retry.next(), Duration(std::chrono::seconds(seconds)));
  EXPECT_FALSE(retry.next());
  EXPECT_EQ(retry.attempt(), 5);
}

}  // namespace
}  // namespace godwit::mover
