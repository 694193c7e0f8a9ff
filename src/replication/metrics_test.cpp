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

TEST(Metrics, QuantilesAreOfTheSamplesAndNoNumberWithoutAny) {
  Metrics metrics;
  metrics.outOfSync(Role::Source, {"ns", "a"}, false);
  const auto quantile = [](const char* q) {
    return std::string(
               "volsync_sync_duration_seconds{method=\"rsync\",obj_name=\"a\",obj_namespace=\"ns\",role=\"source\","
               "quantile=\"") +
           q + "\"} ";
  };
  EXPECT_THAT(metrics.render(), HasSubstr(quantile("0.5") + "NaN\n"));
  for (int i = 1; i <= 100; ++i) metrics.syncTook(Role::Source, {"ns", "a"}, std::chrono::seconds(i));
  const auto text = metrics.render();  // of the last 64: 37 to 100
  EXPECT_THAT(text, HasSubstr(quantile("0.5") + "69\n"));
  EXPECT_THAT(text, HasSubstr(quantile("0.99") + "100\n"));
  EXPECT_THAT(text, HasSubstr("_count{method=\"rsync\",obj_name=\"a\",obj_namespace=\"ns\",role=\"source\"} 100\n"));
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
