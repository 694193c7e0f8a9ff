#include "kube/leader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <thread>

#include "kube/leading_api.h"

using namespace godwit;
using namespace godwit::kube;
using namespace std::chrono_literals;

namespace {

// A thread that waits for what `lead` does.
class Signal {
 public:
  void set() {
    std::lock_guard lock(mutex_);
    is_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s, [this] { return is_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_ = false;
};

// One Lease, with the optimistic lock that the election lives on.
class LeaseServer final : public Api {
 public:
  Result<Json> get(const ResourceType&, const NamespacedName&) override {
    if (slow) (void)answer.wait();
    std::lock_guard lock(mutex_);
    if (away) return ++refused, Error{Errc::Unavailable, "away"};
    if (lease.is_null()) return Error{Errc::NotFound, "no lease"};
    return lease;
  }
  Result<Json> create(const ResourceType&, const Json& object) override {
    std::lock_guard lock(mutex_);
    if (away) return Error{Errc::Unavailable, "away"};
    if (!lease.is_null()) return Error{Errc::AlreadyExists, "there"};
    return store(object);
  }
  Result<Json> patch(const ResourceType&, const NamespacedName&, const Json& change, Subresource) override {
    std::lock_guard lock(mutex_);
    if (away) return Error{Errc::Unavailable, "away"};
    if (text(change, "metadata", "resourceVersion") != text(lease, "metadata", "resourceVersion"))
      return Error{Errc::Conflict, "late"};
    Json next = lease;
    mergePatch(next, change);
    return store(next);
  }
  Result<List> list(const ResourceType&, const ListOptions&) override { return Error{Errc::Internal, ""}; }
  Result<std::unique_ptr<Watch>> watch(const ResourceType&, const WatchOptions&) override {
    return Error{Errc::Internal, ""};
  }
  Result<void> remove(const ResourceType&, const NamespacedName&, const DeleteOptions&) override {
    return ++removed, Result<void>();
  }
  Result<std::string> logs(const NamespacedName&, const LogOptions&) override { return std::string(); }

  std::string holder() {
    std::lock_guard lock(mutex_);
    return text(lease, "spec", "holderIdentity");
  }
  std::atomic<bool> away = false;
  std::atomic<int> refused = 0, removed = 0;
  std::atomic<bool> slow = false;  // says nothing before `answer`
  Signal answer;
  Json lease;

 private:
  Result<Json> store(Json object) {
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    lease = std::move(object);
    return lease;
  }
  std::mutex mutex_;
  int version_ = 0;
};

struct LeaderTest : ::testing::Test {
  LeaderElector replica(const std::string& name) { return {server, clock, {.ns = "ns", .identity = name}}; }
  static bool holds(LeaderElector& elector) {
    const auto held = elector.attempt();
    return held.ok() && *held;
  }
  ManualClock clock{TimePoint{}};
  LeaseServer server;
};

}  // namespace

TEST_F(LeaderTest, TheFirstHoldsAndTheSecondWaitsUntilTheLeaseHasRunOut) {
  auto a = replica("a"), b = replica("b");
  EXPECT_TRUE(holds(a));
  EXPECT_FALSE(holds(b));
  clock.advance(14s);
  EXPECT_FALSE(holds(b));
  EXPECT_FALSE(b.mayLead());
  clock.advance(2s);
  EXPECT_TRUE(holds(b));
  EXPECT_EQ(server.holder(), "b");
  EXPECT_EQ(number(-1, server.lease, "spec", "leaseTransitions"), 1);
  EXPECT_FALSE(holds(a));
  EXPECT_FALSE(a.mayLead());
}

TEST_F(LeaderTest, RenewalsKeepOthersAway) {
  auto a = replica("a"), b = replica("b");
  EXPECT_TRUE(holds(a));
  for (int i = 0; i < 20; ++i) {
    clock.advance(5s);
    EXPECT_TRUE(holds(a));
    EXPECT_FALSE(holds(b));
  }
}

TEST_F(LeaderTest, AHolderThatCannotRenewStepsDownBeforeOthersMayTakeOver) {
  auto a = replica("a"), b = replica("b");
  EXPECT_TRUE(holds(a));
  EXPECT_FALSE(holds(b));
  server.away = true;
  clock.advance(9s);
  EXPECT_FALSE(a.attempt().ok());
  EXPECT_TRUE(a.mayLead());
  clock.advance(1s);
  EXPECT_FALSE(a.mayLead());
  server.away = false;
  EXPECT_FALSE(holds(b));
  EXPECT_TRUE(holds(a));  // nobody was faster: it leads again at once
}

TEST_F(LeaderTest, WhatIsUnderWayWritesNothingAnyMore) {
  auto a = replica("a");
  LeadingApi api(server, a);
  EXPECT_TRUE(holds(a));
  EXPECT_TRUE(api.remove(resources::kJobs, {"ns", "j"}, {}).ok());
  clock.advance(10s);
  EXPECT_TRUE(api.remove(resources::kJobs, {"ns", "j"}, {}).is(Errc::Cancelled));
  EXPECT_TRUE(api.patch(resources::kLeases, {"ns", "l"}, {}).is(Errc::Cancelled));
  EXPECT_TRUE(api.create(resources::kJobs, {}).is(Errc::Cancelled));
  EXPECT_TRUE(api.get(resources::kLeases, {"ns", "l"}).ok());
  EXPECT_EQ(server.removed, 1);
}

TEST_F(LeaderTest, ALeaseThatIsGivenUpIsTakenAtOnce) {
  auto a = replica("a"), b = replica("b");
  EXPECT_TRUE(holds(a));
  EXPECT_FALSE(holds(b));
  a.release();
  EXPECT_EQ(server.holder(), "");
  EXPECT_TRUE(holds(b));
  a.release();  // of somebody else: nothing happens
  EXPECT_EQ(server.holder(), "b");
}

TEST_F(LeaderTest, RunLeadsUntilItIsToldToStopAndGivesUpTheLease) {
  SystemClock system;
  LeaderElector elector(server, system, {.ns = "ns", .identity = "a"});
  Signal leading;
  std::stop_source stop;
  std::thread runner([&] {
    EXPECT_TRUE(elector.run(stop.get_token(), [&](std::stop_token token) {
      Signal told;
      const std::stop_callback tell(token, [&] { told.set(); });
      leading.set();
      EXPECT_TRUE(told.wait());
      EXPECT_EQ(server.holder(), "a");  // not given up before the work has ended
    }));
  });
  EXPECT_TRUE(leading.wait());
  stop.request_stop();
  runner.join();
  EXPECT_EQ(server.holder(), "");
}

TEST_F(LeaderTest, RunEndsTheWorkOfAHolderThatIsReplaced) {
  SystemClock system;
  LeaderElector elector(server, system, {.ns = "ns", .identity = "a", .retryPeriod = 10ms});
  bool ended = false;
  EXPECT_FALSE(elector.run({}, [&](std::stop_token token) {
    Signal told;
    const std::stop_callback tell(token, [&] { told.set(); });
    Result<Json> robbed = Error{Errc::Conflict, ""};
    while (robbed.is(Errc::Conflict)) {
      const auto seen = server.get(resources::kLeases, {});
      robbed = server.patch(resources::kLeases, {},
                            {{"metadata", {{"resourceVersion", text(*seen, "metadata", "resourceVersion")}}},
                             {"spec", {{"holderIdentity", "b"}}}},
                            Subresource::None);
    }
    ended = told.wait();
  }));
  EXPECT_TRUE(ended);
  EXPECT_EQ(server.holder(), "b");
}

// Others may take over at the hour that was agreed, whatever the answer will be.
TEST_F(LeaderTest, RunEndsTheWorkInTimeWhileAnAttemptIsUnderWay) {
  SystemClock system;
  LeaderElector elector(server, system, {.ns = "ns", .identity = "a", .renewDeadline = 100ms, .retryPeriod = 1ms});
  bool told = false;
  EXPECT_FALSE(elector.run({}, [&](std::stop_token token) {
    const std::stop_callback tell(token, [&] { server.answer.set(); });
    server.slow = true;
    told = server.answer.wait();
  }));
  EXPECT_TRUE(told);
}

TEST_F(LeaderTest, WhatOnlyAHandChangesIsAskedForLessAndLessOftenButByWhoLeads) {
  Attempts attempts(clock, 2s);
  const Result<bool> away = Error{Errc::Unavailable, "away"}, refused = Error{Errc::Forbidden, "no right"};
  EXPECT_EQ(attempts.pause(true, true), 2s);
  EXPECT_EQ(attempts.pause(away, false), 300ms);
  EXPECT_EQ(attempts.pause(away, false), 300ms);
  for (const auto wait : {4s, 8s, 16s, 16s}) EXPECT_EQ(attempts.pause(refused, false), wait);
  EXPECT_EQ(attempts.pause(refused, true), 300ms);
  EXPECT_EQ(attempts.pause(false, false), 2s);
  EXPECT_EQ(attempts.pause(refused, false), 4s);
}

TEST_F(LeaderTest, TheSameErrorIsNewsOnceAMinute) {
  Attempts attempts(clock, 2s);
  const Result<bool> away = Error{Errc::Unavailable, "away"}, refused = Error{Errc::Forbidden, "no right"};
  EXPECT_TRUE(attempts.isNews(away));
  EXPECT_FALSE(attempts.isNews(away));
  EXPECT_TRUE(attempts.isNews(refused));
  clock.advance(59s);
  EXPECT_FALSE(attempts.isNews(refused));
  clock.advance(1s);
  EXPECT_TRUE(attempts.isNews(refused));
  EXPECT_FALSE(attempts.isNews(false));
  EXPECT_TRUE(attempts.isNews(refused));
}

// Nobody reads a log that says the same three times a second.
TEST_F(LeaderTest, ARunThatFindsTheServerAwaySaysSoOnce) {
  SystemClock system;
  LeaderElector elector(server, system, {.ns = "ns", .identity = "a", .retryPeriod = 1ms});
  server.away = true;
  std::stop_source stop;
  testing::internal::CaptureStderr();
  std::thread runner([&] { elector.run(stop.get_token(), [](std::stop_token) {}); });
  while (server.refused < 20) std::this_thread::yield();
  stop.request_stop();
  runner.join();
  const auto said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("away"), said.npos);
  EXPECT_EQ(said.find("away"), said.rfind("away")) << said;
}

TEST_F(LeaderTest, ARunThatFindsTheServerAwayAsksAgainSoonerThanALeaseIsRenewed) {
  SystemClock system;
  LeaderElector elector(server, system, {.ns = "ns", .identity = "a", .retryPeriod = 1h});
  server.away = true;
  Signal leading;
  std::stop_source stop;
  std::thread runner([&] { elector.run(stop.get_token(), [&](std::stop_token) { leading.set(); }); });
  while (server.refused == 0) std::this_thread::yield();
  server.away = false;
  EXPECT_TRUE(leading.wait());
  stop.request_stop();
  runner.join();
}
