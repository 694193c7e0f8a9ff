#include "base/thread.h"

#include <gtest/gtest.h>

using namespace godwit;

TEST(Thread, RunsAndJoins) {
  bool ran = false;
  auto thread = Thread::start([&] { ran = true; });
  ASSERT_TRUE(thread.ok());
  thread->join();
  thread->join();
  EXPECT_TRUE(ran);
}

TEST(Thread, AnImpossibleStackIsAnError) {
  EXPECT_TRUE(Thread::start([] {}, 1).is(Errc::Unavailable));
}
