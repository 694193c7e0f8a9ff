#include "kube/delegated_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/fake_api_test.h"

using namespace godwit;
using namespace godwit::kube;
using namespace std::chrono_literals;
using Verdict = DelegatedAuth::Verdict;

namespace {

struct DelegatedAuthTest : ::testing::Test {
  void answer(Json status) { api.writes.push_back(Json{{"status", std::move(status)}}); }
  Verdict check(const std::string& token = "t") {
    const auto verdict = auth.check(token, "get", "/metrics");
    EXPECT_TRUE(verdict.ok()) << verdict.error().message;
    return verdict.ok() ? *verdict : Verdict::Unknown;
  }
  const Json user{{"username", "prometheus"}, {"uid", "u"}, {"groups", {"g"}}, {"extra", {{"k", {"v"}}}}};
  ManualClock clock{TimePoint{}};
  kube::testing::ScriptedApi api;
  DelegatedAuth auth{api, clock};
};

}  // namespace

TEST_F(DelegatedAuthTest, WhoIsKnownAndMayIsAllowedAndNotAskedAboutAgainForAMinute) {
  answer({{"authenticated", true}, {"user", user}});
  answer({{"allowed", true}});
  EXPECT_EQ(check(), Verdict::Allowed);
  EXPECT_EQ(check(), Verdict::Allowed);
  ASSERT_EQ(api.created.size(), 2u);
  EXPECT_EQ(text(api.created[0], "spec", "token"), "t");
  EXPECT_EQ(api.created[1]["spec"], (Json{{"user", "prometheus"},
                                          {"uid", "u"},
                                          {"groups", {"g"}},
                                          {"extra", {{"k", {"v"}}}},
                                          {"nonResourceAttributes", {{"path", "/metrics"}, {"verb", "get"}}}}));
  clock.advance(61s);
  answer({{"authenticated", true}, {"user", user}});
  answer({{"allowed", false}});
  EXPECT_EQ(check(), Verdict::Denied);
}

TEST_F(DelegatedAuthTest, NobodyAndStrangersAreUnknown) {
  EXPECT_EQ(check(""), Verdict::Unknown);
  EXPECT_TRUE(api.created.empty());
  answer({{"authenticated", false}, {"error", "invalid bearer token"}});
  EXPECT_EQ(check("bad"), Verdict::Unknown);
  answer({{"authenticated", true}});  // without a user: not an answer to rely on
  EXPECT_EQ(check("odd"), Verdict::Unknown);
}

TEST_F(DelegatedAuthTest, AServerThatCannotBeAskedIsAnErrorAndNotRemembered) {
  api.writes.push_back(Error{Errc::Unavailable, "away"});
  EXPECT_TRUE(auth.check("t", "get", "/metrics").is(Errc::Unavailable));
  answer({{"authenticated", true}, {"user", user}});
  api.writes.push_back(Error{Errc::Forbidden, "the operator may not create subjectaccessreviews"});
  EXPECT_TRUE(auth.check("t", "get", "/metrics").is(Errc::Forbidden));
  answer({{"authenticated", true}, {"user", user}});
  answer({{"allowed", true}});
  EXPECT_EQ(check(), Verdict::Allowed);
}
