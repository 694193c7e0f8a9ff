#include "cli/sync_once.h"

#include <gmock/gmock.h>

#include "cli/testing.h"

namespace godwit::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
const auto& kType = kube::resources::kReplicationSources;
const kube::NamespacedName kKey{"default", "source"};

// A server where something happens as soon as a manual trigger has been stored, and before anybody writes again.
class Reacting : public kube::Api {
 public:
  explicit Reacting(kube::Api& real) : real_(real) {}
  std::function<void(const std::string& manual)> onManual;
  std::function<std::optional<Error>(const Json& patch)> refusal;

  Result<Json> get(const kube::ResourceType& type, const kube::NamespacedName& key) override {
    return real_.get(type, key);
  }
  Result<kube::List> list(const kube::ResourceType& type, const kube::ListOptions& options) override {
    return real_.list(type, options);
  }
  Result<std::unique_ptr<kube::Watch>> watch(const kube::ResourceType& type,
                                             const kube::WatchOptions& options) override {
    return real_.watch(type, options);
  }
  Result<Json> create(const kube::ResourceType& type, const Json& object) override {
    return real_.create(type, object);
  }
  Result<Json> patch(const kube::ResourceType& type, const kube::NamespacedName& key, const Json& change,
                     kube::Subresource subresource) override {
    const auto manual = text(change, "spec", "trigger", "manual");
    if (const auto refused = refusal ? refusal(change) : std::nullopt) return *refused;
    auto stored = real_.patch(type, key, change, subresource);
    if (stored && !manual.empty() && onManual) onManual(manual);
    return stored;
  }
  Result<void> remove(const kube::ResourceType& type, const kube::NamespacedName& key,
                      const kube::DeleteOptions& options) override {
    return real_.remove(type, key, options);
  }
  Result<std::string> logs(const kube::NamespacedName& pod, const kube::LogOptions& options) override {
    return real_.logs(pod, options);
  }

 private:
  kube::Api& real_;
};

class SyncOnceTest : public ServerTest {
 protected:
  void make(Json spec) {
    spec["sourcePVC"] = "data";
    const auto made = api().create(kType, {{"apiVersion", api::kApiVersion},
                                           {"kind", "ReplicationSource"},
                                           {"metadata", {{"name", "source"}, {"namespace", "default"}}},
                                           {"spec", std::move(spec)}});
    ASSERT_TRUE(made) << made.error().message;
  }
  void change(const Json& patch, kube::Subresource of = kube::Subresource::None) {
    const auto stored = api().patch(kType, kKey, patch, of);
    ASSERT_TRUE(stored) << stored.error().message;
  }
  void status(Json fields) { change({{"status", std::move(fields)}}, kube::Subresource::Status); }
  void begins() {
    server().onManual = [this](const auto&) { status({{"lastSyncStartTime", "2026-01-02T03:04:05Z"}}); };
  }
  void synchronises() {
    server().onManual = [this](const auto& manual) { status({{"lastManualSync", manual}}); };
  }

  Result<Json> sync(Duration timeout = 10s, std::stop_token stop = {}) {
    return syncOnce(server(), kKey, {.timeout = timeout, .stop = std::move(stop)});
  }
  std::string failure(const Result<Json>& done) { return done ? "" : done.error().message; }
  Json trigger() { return api().get(kType, kKey)->at("spec").value("trigger", Json("none")); }
  Reacting& server() {
    if (!server_) server_ = std::make_unique<Reacting>(api());
    return *server_;
  }

 private:
  std::unique_ptr<Reacting> server_;
};

const Json kDaily = {{"schedule", "0 3 * * *"}};

TEST_F(SyncOnceTest, TheScheduleGoesOnAfterwards) {
  make({{"trigger", kDaily}});
  synchronises();
  const auto done = sync();
  ASSERT_TRUE(done) << failure(done);
  EXPECT_EQ(trigger(), kDaily);
}

// Without a trigger it synchronises all the time; with the manual one of a sync that is done it never would again.
TEST_F(SyncOnceTest, ASourceWithoutTriggerHasNoneAfterwards) {
  make(Json::object());
  synchronises();
  const auto done = sync();
  ASSERT_TRUE(done) << failure(done);
  EXPECT_EQ(trigger(), "none");
}

TEST_F(SyncOnceTest, WhatAnEarlierOneLeftIsTakenOutToo) {
  make({{"trigger", {{"manual", "godwit-sync-2026-01-01T00:00:00Z-abcde"}}}});
  synchronises();
  ASSERT_TRUE(sync());
  EXPECT_EQ(trigger(), Json::object());
}

// The user's own value would ask for one more sync, and without any it would synchronise all the time.
TEST_F(SyncOnceTest, WhatIsTriggeredByHandStaysSoHoweverOftenItIsAsked) {
  make({{"trigger", {{"manual", "mine"}}}});
  synchronises();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(sync());
    EXPECT_TRUE(trigger().at("manual").get<std::string>().starts_with("godwit-manual-")) << trigger();
  }
}

TEST_F(SyncOnceTest, AfterATimeoutTheScheduleGoesOnAndSoDoesTheSyncThatHasBegun) {
  make({{"trigger", kDaily}});
  begins();
  const auto done = sync(0s);
  ASSERT_TRUE(done.is(Errc::Timeout));
  EXPECT_TRUE(failure(done).ends_with("the sync that began at 2026-01-02T03:04:05Z goes on and is not waited for"))
      << failure(done);
  EXPECT_EQ(trigger(), kDaily);
}

TEST_F(SyncOnceTest, ASyncThatRanBeforeIsNotTheOneAskedFor) {
  make({{"trigger", kDaily}});
  status({{"lastSyncStartTime", "2026-01-02T03:04:05Z"}});
  EXPECT_THAT(failure(sync(0s)), HasSubstr("goes on and is not waited for; the next one comes when spec.trigger says"));
}

TEST_F(SyncOnceTest, WhenStoppedTheScheduleGoesOnAndASyncThatHasNotBegunIsTakenBack) {
  make({{"trigger", kDaily}});
  std::stop_source stop;
  stop.request_stop();
  const auto done = sync(10s, stop.get_token());
  ASSERT_TRUE(done.is(Errc::Cancelled));
  EXPECT_THAT(failure(done), HasSubstr("no sync has begun; the next one comes when spec.trigger says so"));
  EXPECT_EQ(trigger(), kDaily);
}

TEST_F(SyncOnceTest, AfterATimeoutASourceWithoutTriggerHasNone) {
  make(Json::object());
  ASSERT_TRUE(sync(0s).is(Errc::Timeout));
  EXPECT_EQ(trigger(), "none");
}

TEST_F(SyncOnceTest, WhatOthersHaveChangedMeanwhileIsTheirs) {
  make({{"trigger", kDaily}});
  server().onManual = [this](const auto&) { change({{"spec", {{"trigger", {{"manual", "theirs"}}}}}}); };
  EXPECT_THAT(failure(sync(0s)), HasSubstr("somebody else has changed spec.trigger.manual meanwhile"));
  EXPECT_EQ(trigger().at("manual"), "theirs");
}

TEST_F(SyncOnceTest, AScheduleThatWasAddedMeanwhileStays) {
  make(Json::object());
  server().onManual = [this](const auto&) { change({{"spec", {{"trigger", kDaily}}}}); };
  ASSERT_TRUE(sync(0s).is(Errc::Timeout));
  EXPECT_EQ(trigger(), kDaily);
}

// What is written between reading the object and putting its trigger back, as every reconciler does all the time.
TEST_F(SyncOnceTest, AWriteInBetweenIsNoFailure) {
  make({{"trigger", kDaily}});
  int writes = 0;
  server().refusal = [&](const Json&) -> std::optional<Error> {
    if (writes++ % 2 == 0) status({{"lastSyncDuration", std::to_string(writes) + "s"}});
    return std::nullopt;
  };
  ASSERT_TRUE(sync(0s).is(Errc::Timeout));
  EXPECT_EQ(writes, 4);
  EXPECT_EQ(trigger(), kDaily);
}

TEST_F(SyncOnceTest, WhereTheTriggerCannotBePutBackItSaysWhatToType) {
  make({{"trigger", kDaily}});
  synchronises();
  server().refusal = [](const Json& change) -> std::optional<Error> {
    if (!change.at("spec").at("trigger").at("manual").is_null()) return std::nullopt;
    return Error{Errc::Forbidden, "the right was taken away"};
  };
  const auto done = sync();
  ASSERT_TRUE(done.is(Errc::Forbidden));
  EXPECT_THAT(failure(done), HasSubstr("the sync is done, but"));
  EXPECT_THAT(failure(done), HasSubstr("the right was taken away"));
  EXPECT_THAT(failure(done), HasSubstr("kubectl -n default patch replicationsource source --type merge -p "
                                       R"('{"spec":{"trigger":{"manual":null}}}')"));
}

TEST_F(SyncOnceTest, WhatAServerStoredWithoutSayingSoIsTakenBack) {
  make({{"trigger", kDaily}});
  server().refusal = [this](const Json& patch) -> std::optional<Error> {
    if (patch.at("spec").at("trigger").at("manual").is_null()) return std::nullopt;
    change({{"spec", patch.at("spec")}});
    return Error{Errc::Timeout, "no answer"};
  };
  EXPECT_THAT(failure(sync()), HasSubstr("no answer; spec.trigger is again as it was"));
  EXPECT_EQ(trigger(), kDaily);
  server().refusal = [](const Json&) { return Error{Errc::Timeout, "no answer"}; };
  EXPECT_EQ(failure(sync()), "no answer");
}

TEST_F(SyncOnceTest, WhoMayNotAskChangesNothingAndIsToldNoMoreThanThat) {
  make({{"trigger", kDaily}});
  server().refusal = [](const Json&) { return Error{Errc::Forbidden, "you may not"}; };
  EXPECT_EQ(failure(sync()), "you may not");
  EXPECT_EQ(trigger(), kDaily);
}

}  // namespace
}  // namespace godwit::cli
