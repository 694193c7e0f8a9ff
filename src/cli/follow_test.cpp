#include "cli/follow.h"

#include <gmock/gmock.h>

#include <thread>

#include "cli/testing.h"

namespace godwit::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
const auto& kType = kube::resources::kConfigMaps;
const kube::NamespacedName kKey{"default", "settings"};

class Follow : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    ASSERT_TRUE(api().create(kType, {{"apiVersion", "v1"},
                                     {"kind", "ConfigMap"},
                                     {"metadata", {{"name", "settings"}, {"namespace", "default"}}},
                                     {"data", {{"a", "1"}}}}));
  }
  static bool isTwo(const Json& object) { return text(object, "data", "a") == "2"; }
};

TEST_F(Follow, WhatIsSoAlready) {
  const auto object = follow(api(), kType, kKey, {.ready = [](const Json& o) { return text(o, "data", "a") == "1"; }});
  ASSERT_TRUE(object) << object.error().message;
}

TEST_F(Follow, WhatBecomesSo) {
  std::jthread later([&] { ASSERT_TRUE(api().patch(kType, kKey, {{"data", {{"a", "2"}}}})); });
  const auto object = follow(api(), kType, kKey, {.ready = isTwo, .timeout = 10s});
  ASSERT_TRUE(object) << object.error().message;
}

TEST_F(Follow, GivesUpWithTheReason) {
  const auto object =
      follow(api(), kType, kKey, {.ready = isTwo, .obstacle = [](const Json&) { return "no two"; }, .timeout = 0s});
  ASSERT_TRUE(object.is(Errc::Timeout));
  EXPECT_THAT(object.error().message, HasSubstr("ConfigMap default/settings"));
}

TEST_F(Follow, StopsWhenTold) {
  std::stop_source source;
  source.request_stop();
  EXPECT_TRUE(follow(api(), kType, kKey, {.ready = isTwo, .stop = source.get_token()}).is(Errc::Cancelled));
}

}  // namespace
}  // namespace godwit::cli
