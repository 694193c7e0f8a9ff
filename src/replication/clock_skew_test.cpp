#include "replication/clock_skew.h"

#include <gmock/gmock.h>

namespace godwit::replication {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(ClockSkew, IsToldFromAMinuteOnAndNoMoreOnceItIsGone) {
  ClockSkew skew;
  EXPECT_EQ(skew.remark(), "");
  const TimePoint ours{1000h};
  skew.observe(ours + 59s, ours);
  EXPECT_EQ(skew.remark(), "");
  skew.observe(ours + 1h, ours);
  EXPECT_THAT(skew.remark(), HasSubstr("3600 s ahead of the operator's"));
  skew.observe(ours - 60s, ours);
  EXPECT_THAT(skew.remark(), HasSubstr("60 s behind the operator's"));
  skew.observe(ours - 1s, ours);
  EXPECT_EQ(skew.remark(), "");
}

}  // namespace
}  // namespace godwit::replication
