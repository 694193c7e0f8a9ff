#include "kube/token_bucket.h"

#include <gtest/gtest.h>

using namespace godwit;
using namespace std::chrono_literals;

TEST(TokenBucket, ABurstIsFreeAndThenTheRateCounts) {
  kube::TokenBucket bucket(10, 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(1s), 0s);
  EXPECT_EQ(bucket.take(1s), 100ms);
  EXPECT_EQ(bucket.take(1s), 200ms);  // in order: behind the one before
  EXPECT_EQ(bucket.take(1100ms), 200ms);
}

TEST(TokenBucket, RestFillsItUpToTheBurstAndNoFurther) {
  kube::TokenBucket bucket(10, 2);
  EXPECT_EQ(bucket.take(0s), 0s);
  EXPECT_EQ(bucket.take(1h), 0s);
  EXPECT_EQ(bucket.take(1h), 0s);
  EXPECT_GT(bucket.take(1h), 0s);
}

TEST(TokenBucket, NoRateIsNoLimit) {
  kube::TokenBucket bucket(0, 1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(bucket.take(0s), 0s);
}
