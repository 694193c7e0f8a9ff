#include "kube/work_queue.h"

#include <gtest/gtest.h>

#include <thread>

using namespace godwit;
using namespace godwit::kube;
using namespace std::chrono_literals;

namespace {

struct WorkQueueTest : testing::Test {
  ManualClock clock{TimePoint{}};
  Random random{1};
  WorkQueue queue{clock, random, BackOff{10ms, 100ms, 0.0}};
};

}  // namespace

TEST_F(WorkQueueTest, KeepsTheOrderAndCoalesces) {
  queue.add("a");
  queue.add("b");
  queue.add("a");
  EXPECT_EQ(queue.depth(), 2u);
  EXPECT_EQ(queue.tryGet(), "a");
  EXPECT_EQ(queue.tryGet(), "b");
  EXPECT_EQ(queue.tryGet(), std::nullopt);
}

TEST_F(WorkQueueTest, AKeyInWorkComesBackOnceAfterDone) {
  queue.add("a");
  ASSERT_EQ(queue.tryGet(), "a");
  queue.add("a");
  queue.add("a");
  EXPECT_EQ(queue.tryGet(), std::nullopt);
  queue.done("a");
  EXPECT_EQ(queue.tryGet(), "a");
  queue.done("a");
  queue.done("a");
  EXPECT_EQ(queue.tryGet(), std::nullopt);
}

TEST_F(WorkQueueTest, TheEarliestDelayWins) {
  queue.addAfter("a", 5s);
  queue.addAfter("a", 9s);
  queue.addAfter("b", 8s);
  queue.addAfter("b", 2s);
  EXPECT_EQ(queue.nextDelay(), 2s);
  clock.advance(2s);
  EXPECT_EQ(queue.tryGet(), "b");
  EXPECT_EQ(queue.nextDelay(), 3s);
  clock.advance(7s);
  EXPECT_EQ(queue.nextDelay(), 0s);
  EXPECT_EQ(queue.tryGet(), "a");
  EXPECT_EQ(queue.nextDelay(), std::nullopt);
}

TEST_F(WorkQueueTest, NoDelayMeansNow) {
  queue.addAfter("a", 0s);
  queue.addAfter("b", -1s);
  EXPECT_EQ(queue.nextDelay(), 0s);
  EXPECT_EQ(queue.tryGet(), "a");
  EXPECT_EQ(queue.tryGet(), "b");
}

TEST_F(WorkQueueTest, ADelayThatEndsDuringWorkIsNotLost) {
  queue.add("a");
  ASSERT_EQ(queue.tryGet(), "a");
  queue.addAfter("a", 1s);
  clock.advance(1s);
  EXPECT_EQ(queue.tryGet(), std::nullopt);
  queue.done("a");
  EXPECT_EQ(queue.tryGet(), "a");
}

TEST_F(WorkQueueTest, BackOffDoublesPerKeyUntilForgotten) {
  for (const Duration expected : {10ms, 20ms, 40ms, 80ms, 100ms, 100ms}) {
    queue.addRateLimited("a");
    EXPECT_EQ(queue.nextDelay(), expected);
    clock.advance(expected);
    ASSERT_EQ(queue.tryGet(), "a");
    queue.done("a");
  }
  queue.addRateLimited("b");
  EXPECT_EQ(queue.nextDelay(), 10ms);
  clock.advance(10ms);
  ASSERT_EQ(queue.tryGet(), "b");
  queue.forget("a");
  queue.addRateLimited("a");
  EXPECT_EQ(queue.nextDelay(), 10ms);
}

TEST_F(WorkQueueTest, WhenTheCauseIsOverFailedKeysAreDueAtOnceAndOthersWhenTheyWere) {
  for (int i = 0; i < 4; ++i) {
    queue.addRateLimited("failed");
    clock.advance(100ms);
    ASSERT_EQ(queue.tryGet(), "failed");
    queue.done("failed");
  }
  queue.addRateLimited("failed");
  queue.addAfter("later", 5s);
  EXPECT_EQ(queue.tryGet(), std::nullopt);
  queue.retryFailed();
  EXPECT_EQ(queue.tryGet(), "failed");
  EXPECT_EQ(queue.tryGet(), std::nullopt);
  queue.done("failed");
  queue.addRateLimited("failed");
  EXPECT_EQ(queue.nextDelay(), 10ms);
}

TEST(BackOff, JitterStaysWithinItsFractionAndManyFailuresDoNotOverflow) {
  Random random(7);
  const BackOff backOff{100ms, 60s, 0.2};
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = backOff.delay(1, random);
    EXPECT_GE(delay, 80ms);
    EXPECT_LE(delay, 120ms);
  }
  EXPECT_LE(backOff.delay(1'000'000, random), 72s);
  EXPECT_GE(backOff.delay(1'000'000, random), 48s);
}

TEST_F(WorkQueueTest, ShutDownWakesAWaiterAndForgetsTheRest) {
  std::thread waiter([&] { EXPECT_EQ(queue.get(), std::nullopt); });
  queue.shutDown();
  waiter.join();
  queue.add("a");
  queue.addAfter("a", 1s);
  queue.addRateLimited("a");
  EXPECT_EQ(queue.nextDelay(), std::nullopt);
  EXPECT_EQ(queue.get(), std::nullopt);
}

TEST(WorkQueueThreads, AKeyIsInWorkAtMostOnceAndEveryAddIsSeen) {
  SystemClock clock;
  Random random(1);
  WorkQueue queue(clock, random);
  constexpr int kKeys = 5, kRounds = 400;
  std::atomic<int> version[kKeys] = {}, seen[kKeys] = {}, busy[kKeys] = {};
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      while (const auto key = queue.get()) {
        const int k = (*key)[0] - 'a';
        EXPECT_EQ(busy[k].fetch_add(1), 0);
        seen[k] = version[k].load();
        busy[k].fetch_sub(1);
        queue.done(*key);
      }
    });
  }
  for (int round = 0; round < kRounds; ++round) {
    for (int k = 0; k < kKeys; ++k) {
      ++version[k];
      const std::string key(1, static_cast<char>('a' + k));
      round % 2 == 0 ? queue.add(key) : queue.addAfter(key, 1us);
    }
  }
  const auto allSeen = [&] {
    for (int k = 0; k < kKeys; ++k) {
      if (seen[k] != kRounds) return false;
    }
    return true;
  };
  while (!allSeen()) std::this_thread::yield();
  queue.shutDown();
  for (auto& worker : workers) worker.join();
}
