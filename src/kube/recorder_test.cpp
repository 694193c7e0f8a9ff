#include "kube/recorder.h"

#include <gtest/gtest.h>

#include <thread>

#include "kube/fake_api_test.h"

using namespace godwit;
using namespace godwit::kube;
using namespace std::chrono_literals;

namespace {

struct RecorderTest : ::testing::Test {
  ManualClock clock{TimePoint{}};
  Random random{1};
  kube::testing::ScriptedApi api;
  Recorder recorder{api, clock, random, "godwit"};
  ObjectReference about{"v1", "PersistentVolumeClaim", "ns", "data", "uid-1", "7"};
};

}  // namespace

TEST_F(RecorderTest, WritesACompleteEvent) {
  recorder.event(about, EventType::Warning, "TransferFailed", "no route");
  ASSERT_EQ(api.created.size(), 1u);
  const Json& event = api.created[0];
  EXPECT_EQ(text(event, "metadata", "namespace"), "ns");
  EXPECT_EQ(text(event, "metadata", "name").substr(0, 5), "data.");
  EXPECT_EQ(text(event, "involvedObject", "uid"), "uid-1");
  EXPECT_EQ(text(event, "type"), "Warning");
  EXPECT_EQ(text(event, "reason"), "TransferFailed");
  EXPECT_EQ(text(event, "message"), "no route");
  EXPECT_EQ(text(event, "source", "component"), "godwit");
  EXPECT_EQ(text(event, "firstTimestamp"), "1970-01-01T00:00:00Z");
  EXPECT_EQ(number(0, event, "count"), 1);
}

TEST_F(RecorderTest, TheSameWithinTenMinutesOnlyCounts) {
  recorder.event(about, EventType::Normal, "A", "x");
  clock.advance(10min);
  recorder.event(about, EventType::Normal, "A", "x");
  EXPECT_EQ(api.created.size(), 1u);
  ASSERT_EQ(api.patched.size(), 1u);
  EXPECT_EQ(number(0, api.patched[0], "count"), 2);
  EXPECT_EQ(text(api.patched[0], "lastTimestamp"), "1970-01-01T00:10:00Z");
  clock.advance(10min + 1s);
  recorder.event(about, EventType::Normal, "A", "x");
  EXPECT_EQ(api.created.size(), 2u);
}

TEST_F(RecorderTest, AnyDifferenceMakesAnotherEvent) {
  recorder.event(about, EventType::Normal, "A", "x");
  recorder.event(about, EventType::Warning, "A", "x");
  recorder.event(about, EventType::Normal, "B", "x");
  recorder.event(about, EventType::Normal, "A", "y");
  about.uid = "uid-2";
  recorder.event(about, EventType::Normal, "A", "x");
  EXPECT_EQ(api.created.size(), 5u);
}

TEST_F(RecorderTest, AFloodFromOneObjectIsCut) {
  for (int i = 0; i < 100; ++i) recorder.event(about, EventType::Normal, "A", std::to_string(i));
  EXPECT_EQ(api.created.size(), 25u);
  ObjectReference other = about;
  other.name = "calm";
  recorder.event(other, EventType::Normal, "A", "x");
  EXPECT_EQ(api.created.size(), 26u);
  clock.advance(5min);
  recorder.event(about, EventType::Normal, "A", "later");
  recorder.event(about, EventType::Normal, "A", "later still");
  EXPECT_EQ(api.created.size(), 27u);
}

TEST_F(RecorderTest, AnEventThatTheServerForgotIsMadeAgain) {
  recorder.event(about, EventType::Normal, "A", "x");
  api.writes.push_back(Error{Errc::NotFound, "gone"});
  api.writes.push_back(Json::object());
  recorder.event(about, EventType::Normal, "A", "x");
  ASSERT_EQ(api.created.size(), 2u);
  EXPECT_EQ(number(0, api.created[1], "count"), 1);
}

TEST_F(RecorderTest, ARefusalIsDroppedAndTriedAnewNextTime) {
  api.writes.push_back(Error{Errc::Forbidden, "no"});
  recorder.event(about, EventType::Normal, "A", "x");
  recorder.event(about, EventType::Normal, "A", "x");
  EXPECT_EQ(api.created.size(), 2u);
  EXPECT_TRUE(api.patched.empty());
}

TEST_F(RecorderTest, NamesAndMessagesStayWithinTheLimits) {
  about.name = std::string(199, 'a') + "-" + std::string(53, 'b');
  about.ns.clear();
  recorder.event(about, EventType::Normal, "A", std::string(1023, 'x') + "\u00e4");
  ASSERT_EQ(api.created.size(), 1u);
  const std::string name = text(api.created[0], "metadata", "name");
  EXPECT_EQ(name.substr(0, 200), std::string(199, 'a') + ".");
  EXPECT_LE(name.size(), 253u);
  EXPECT_EQ(text(api.created[0], "metadata", "namespace"), "default");
  EXPECT_EQ(text(api.created[0], "message"), std::string(1023, 'x'));
}

TEST_F(RecorderTest, WhileItRunsEventsAreWrittenBehindTheCallersAndNoneIsLostAtTheEnd) {
  std::stop_source stop;
  std::thread writer([&] { recorder.run(stop.get_token()); });
  for (int i = 0; i < 20; ++i) recorder.event(about, EventType::Normal, "A", std::to_string(i));
  stop.request_stop();
  writer.join();
  EXPECT_EQ(api.created.size(), 20u);
  recorder.event(about, EventType::Normal, "A", "after");  // at once again
  EXPECT_EQ(api.created.size(), 21u);
}
