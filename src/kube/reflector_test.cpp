#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "kube/cache.h"
#include "kube/fake_api_test.h"

using namespace godwit;
using namespace godwit::kube;
using namespace std::chrono_literals;
using Phase = Reflector::Phase;
using Moved = Reflector::Moved;
using Step = kube::testing::ScriptedWatch::Step;
using Type = WatchEvent::Type;

namespace {

Json object(const std::string& name, int version) {
  return {{"metadata", {{"namespace", "ns"}, {"name", name}, {"resourceVersion", std::to_string(version)}}}};
}
Step event(Type type, const std::string& name, int version) {
  return std::optional<WatchEvent>(WatchEvent{type, object(name, version)});
}

struct ReflectorTest : ::testing::Test {
  kube::testing::ScriptedApi api;
  Cache<std::string> cache{[](const Json& o) { return text(o, "metadata", "resourceVersion"); }};
  Reflector reflector{api, resources::kSecrets, {.ns = "ns", .labelSelector = "a=b"}, cache};

  Phase move() {
    const auto moved = reflector.step(0ms);
    EXPECT_TRUE(moved.ok()) << moved.error().message;
    return reflector.phase();
  }
  Phase fail(Errc code) {
    const auto moved = reflector.step(0ms);
    EXPECT_TRUE(moved.is(code)) << (moved.ok() ? "no error" : moved.error().message);
    return reflector.phase();
  }
  std::string seen(const std::string& name) {
    const auto found = cache.get({"ns", name});
    return found ? *found : "";
  }
  void script(List list, std::deque<Step> steps) {
    api.lists.push_back(std::move(list));
    api.watches.push_back(std::move(steps));
  }
};

}  // namespace

TEST_F(ReflectorTest, ListsInPagesThenFollows) {
  api.lists.push_back(List{{object("a", 1)}, "10", "more"});
  api.lists.push_back(List{{object("b", 2)}, "10", ""});
  api.watches.push_back(
      std::deque<Step>{event(Type::Added, "c", 11), event(Type::Modified, "a", 12), event(Type::Deleted, "b", 13)});
  EXPECT_EQ(move(), Phase::Listing);
  EXPECT_FALSE(reflector.synced());
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(move(), Phase::Listed);
  EXPECT_TRUE(reflector.synced());
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(move(), Phase::Watching);
  move();
  move();
  move();
  EXPECT_EQ(seen("a"), "12");
  EXPECT_EQ(seen("b"), "");
  EXPECT_EQ(seen("c"), "11");
  const auto idle = reflector.step(0ms);
  ASSERT_TRUE(idle.ok());
  EXPECT_EQ(*idle, Moved::Idle);
  EXPECT_EQ(api.listed[0].limit, 500);
  EXPECT_EQ(api.listed[0].labelSelector, "a=b");
  EXPECT_EQ(api.listed[1].continueToken, "more");
  EXPECT_EQ(api.watched[0].resourceVersion, "10");
  EXPECT_EQ(api.watched[0].ns, "ns");
  EXPECT_TRUE(api.watched[0].bookmarks);
}

TEST_F(ReflectorTest, ABrokenStreamResumesAfterTheLastEventOrBookmark) {
  script({{}, "10", ""}, {event(Type::Added, "a", 11), event(Type::Bookmark, "", 20), Error{Errc::Unavailable, "eof"}});
  api.watches.push_back(Error{Errc::Unavailable, "refused"});
  api.watches.push_back(std::deque<Step>{event(Type::Added, "b", 21)});
  move(), move(), move(), move();
  EXPECT_EQ(fail(Errc::Unavailable), Phase::Resuming);
  EXPECT_EQ(fail(Errc::Unavailable), Phase::Resuming);
  EXPECT_EQ(move(), Phase::Watching);
  move();
  EXPECT_EQ(api.watched[2].resourceVersion, "20");
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(api.listed.size(), 1u);
}

TEST_F(ReflectorTest, GoneListsAgainAndKeepsServingMeanwhile) {
  script({{object("a", 1)}, "10", ""}, {Error{Errc::Gone, "compacted"}});
  script({{object("b", 2)}, "30", ""}, {});
  move(), move();
  EXPECT_EQ(fail(Errc::Gone), Phase::Empty);
  EXPECT_TRUE(reflector.synced());
  EXPECT_EQ(seen("a"), "1");
  EXPECT_EQ(move(), Phase::Listed);
  EXPECT_EQ(seen("a"), "");
  EXPECT_EQ(seen("b"), "2");
  EXPECT_EQ(move(), Phase::Watching);
}

TEST_F(ReflectorTest, GoneOnOpeningListsAgain) {
  api.lists.push_back(List{{}, "10", ""});
  api.watches.push_back(Error{Errc::Gone, "compacted"});
  move();
  EXPECT_EQ(fail(Errc::Gone), Phase::Empty);
}

TEST_F(ReflectorTest, ReplayedEventsNeverTurnTheCacheBack) {
  script({{object("a", 5)}, "10", ""},
         {event(Type::Modified, "a", 12), event(Type::Modified, "a", 11), event(Type::Deleted, "a", 12),
          event(Type::Bookmark, "", 3), Error{Errc::Unavailable, "eof"}});
  api.watches.push_back(std::deque<Step>{});
  move(), move(), move(), move(), move(), move();
  EXPECT_EQ(seen("a"), "12");
  fail(Errc::Unavailable);
  move();
  EXPECT_EQ(api.watched[1].resourceVersion, "12");
}

TEST_F(ReflectorTest, OpaqueVersionsAreTakenAsTheyCome) {
  api.lists.push_back(List{{}, "x1", ""});
  Json odd = object("a", 0);
  odd["metadata"]["resourceVersion"] = "x0";
  api.watches.push_back(std::deque<Step>{std::optional<WatchEvent>(WatchEvent{Type::Added, odd}),
                                         std::optional<WatchEvent>(WatchEvent{Type::Added, Json::array()})});
  move(), move(), move(), move();
  EXPECT_EQ(seen("a"), "x0");
  EXPECT_EQ(cache.size(), 1u);
}

TEST_F(ReflectorTest, AFailedPageIsAskedForAgainAndAnExpiredTokenStartsOver) {
  api.lists.push_back(List{{object("a", 1)}, "10", "t"});
  api.lists.push_back(Error{Errc::Unavailable, "refused"});
  api.lists.push_back(List{{object("b", 1)}, "10", "u"});
  api.lists.push_back(Error{Errc::Gone, "token"});
  api.lists.push_back(List{{object("c", 1)}, "11", ""});
  move();
  EXPECT_EQ(fail(Errc::Unavailable), Phase::Listing);
  EXPECT_EQ(move(), Phase::Listing);
  EXPECT_EQ(api.listed[2].continueToken, "t");
  EXPECT_EQ(fail(Errc::Gone), Phase::Empty);
  EXPECT_EQ(move(), Phase::Listed);
  EXPECT_EQ(api.listed[4].continueToken, "");
  EXPECT_EQ(cache.size(), 1u);
}

TEST_F(ReflectorTest, AnErrorNamesTheResource) {
  api.lists.push_back(Error{Errc::Forbidden, "not you"});
  const auto moved = reflector.step(0ms);
  ASSERT_TRUE(moved.is(Errc::Forbidden));
  EXPECT_EQ(moved.error().message, "list secrets: not you");
  EXPECT_EQ(reflector.phase(), Phase::Empty);
}

TEST_F(ReflectorTest, CancelWakesAWaitingStepAndIsFinal) {
  script({{}, "10", ""}, {});
  move(), move();
  std::thread stepper([&] { EXPECT_TRUE(reflector.step(1h).is(Errc::Cancelled)); });
  reflector.cancel();
  stepper.join();
  EXPECT_EQ(fail(Errc::Cancelled), Phase::Watching);
}

TEST(ReflectorTable, AllowsWhatTheHeaderSaysAndNothingElse) {
  const std::set<std::pair<Phase, Phase>> allowed = {
      {Phase::Empty, Phase::Listing},     {Phase::Listing, Phase::Listing}, {Phase::Listing, Phase::Listed},
      {Phase::Listing, Phase::Empty},     {Phase::Listed, Phase::Watching}, {Phase::Listed, Phase::Empty},
      {Phase::Watching, Phase::Resuming}, {Phase::Watching, Phase::Empty},  {Phase::Resuming, Phase::Watching},
      {Phase::Resuming, Phase::Empty}};
  for (int from = 0; from < 5; ++from) {
    for (int to = 0; to < 5; ++to) {
      const auto a = static_cast<Phase>(from), b = static_cast<Phase>(to);
      EXPECT_EQ(Reflector::mayFollow(a, b), allowed.contains({a, b})) << from << " to " << to;
    }
  }
}

TEST(ReflectorBackOff, GrowsToHalfAMinute) {
  Random random(1);
  EXPECT_LE(reflectorBackOff(1, random), 120ms);
  EXPECT_GE(reflectorBackOff(1, random), 80ms);
  EXPECT_LE(reflectorBackOff(100, random), 36s);
  EXPECT_GE(reflectorBackOff(100, random), 24s);
}

TEST(Cache, TellsListenersWhatChanged) {
  Cache<std::string> cache([](const Json& o) { return text(o, "metadata", "resourceVersion"); });
  std::vector<std::string> told;
  cache.listen([&](const std::string* before, const std::string* after) {
    told.push_back((before ? *before : "-") + ">" + (after ? *after : "-"));
  });
  cache.begin();
  cache.page({object("a", 1)});
  cache.page({object("b", 2)});
  cache.finish("9");
  cache.upsert(object("a", 3));
  cache.erase(object("b", 2));
  cache.erase(object("b", 2));
  cache.begin();
  cache.page({object("c", 4)});
  cache.finish("9");
  EXPECT_EQ(told, (std::vector<std::string>{"->1", "->2", "1>3", "2>-", "3>-", "->4"}));
  EXPECT_EQ(cache.list("ns").size(), 1u);
  EXPECT_TRUE(cache.list("other").empty());
}

TEST(Cache, AListOfOneNamespaceOrObjectSpeaksForNoOther) {
  Cache<std::string> cache([](const Json& o) { return text(o, "metadata", "resourceVersion"); });
  const auto in = [](const std::string& ns, const std::string& name, int version) {
    Json out = object(name, version);
    out["metadata"]["namespace"] = ns;
    return out;
  };
  const auto a = cache.part("a"), b = cache.part("b"), one = cache.one({"a", "y"});
  const auto list = [](Sink& sink, const std::vector<Json>& items) {
    sink.begin();
    sink.page(items);
    sink.finish("9");
  };
  list(*a, {in("a", "x", 1), in("a", "y", 2)});
  list(*b, {in("b", "x", 3)});
  EXPECT_EQ(cache.size(), 3u);
  list(*one, {});
  EXPECT_EQ(cache.get({"a", "y"}), nullptr);
  list(*a, {});
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(*cache.get({"b", "x"}), "3");
}

TEST_F(ReflectorTest, APageThatFailsIsAskedForAgainAndAListThatExpiresBeginsAnew) {
  api.lists.push_back(List{{object("a", 1)}, "10", "more"});
  api.lists.push_back(Error{Errc::Unavailable, "away"});
  api.lists.push_back(Error{Errc::Gone, "too late"});
  api.lists.push_back(List{{object("b", 2)}, "20", "more"});
  api.lists.push_back(Error{Errc::Unavailable, "away"});
  api.lists.push_back(List{{object("c", 3)}, "20", ""});
  EXPECT_EQ(move(), Phase::Listing);
  EXPECT_EQ(fail(Errc::Unavailable), Phase::Listing);
  EXPECT_EQ(fail(Errc::Gone), Phase::Empty);
  EXPECT_EQ(move(), Phase::Listing);
  EXPECT_EQ(fail(Errc::Unavailable), Phase::Listing);
  EXPECT_EQ(move(), Phase::Listed);
  EXPECT_EQ(seen("a") + seen("b") + seen("c"), "23");
  EXPECT_EQ(api.listed.back().continueToken, "more");
}
