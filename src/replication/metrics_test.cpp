#include "replication/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit::replication {
namespace {

using api::Role;
using testing::HasSubstr;
using testing::Not;

TEST(Metrics, CarryVolSyncsNamesAndLabels) {
  Metrics metrics;
  metrics.outOfSync(Role::Source, {"ns", "a"}, true);
  metrics.missedInterval(Role::Source, {"ns", "a"});
  metrics.syncTook(Role::Source, {"ns", "a"}, std::chrono::milliseconds(1500));
  const auto text = metrics.render();
  const std::string labels = "{method=\"rsync\",obj_name=\"a\",obj_namespace=\"ns\",role=\"source\"} ";
  EXPECT_THAT(text, HasSubstr("volsync_volume_out_of_sync" + labels + "1"));
  EXPECT_THAT(text, HasSubstr("volsync_missed_intervals_total" + labels + "1"));
  EXPECT_THAT(text, HasSubstr("volsync_sync_duration_seconds_count" + labels + "1"));
  EXPECT_THAT(text, HasSubstr("volsync_sync_duration_seconds_sum" + labels + "1.5"));
}

TEST(Metrics, OfADeletedObjectGoAwayAndOthersStay) {
  Metrics metrics;
  metrics.outOfSync(Role::Source, {"ns", "a"}, true);
  metrics.outOfSync(Role::Destination, {"ns", "a"}, true);
  metrics.forget(Role::Source, {"ns", "a"});
  metrics.forget(Role::Source, {"ns", "never"});
  EXPECT_THAT(metrics.render(), Not(HasSubstr("source")));
  EXPECT_THAT(metrics.render(), HasSubstr("destination"));
}

}  // namespace
}  // namespace godwit::replication
