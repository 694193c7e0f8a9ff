#include "kube/http_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/fd.h"
#include "http/server.h"

using namespace godwit;
using namespace godwit::kube;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace r = godwit::kube::resources;

namespace {

struct Said {
  int status = 200;
  std::string body = "{}";
  http::Headers headers;
  bool open = false;  // the body goes on until the client leaves
};

// A server that gives prepared answers, in order, and keeps what it was asked.
struct HttpApiTest : ::testing::Test {
  void SetUp() override {
    auto started = http::Server::start({}, [this](const http::Request& request, http::ResponseWriter& out) {
      asked.push_back(request);
      const Said said = answers.empty() ? Said{} : answers.front();
      if (!answers.empty()) answers.pop_front();
      if (!said.open) return out.send(said.status, said.headers, said.body);
      std::mutex mutex;
      std::condition_variable_any left;
      std::unique_lock lock(mutex);
      if (out.startStream(said.status, said.headers) && out.write(said.body))
        left.wait(lock, out.closed(), [] { return false; });
    });
    ASSERT_TRUE(started.ok()) << started.error().message;
    server = std::move(*started);
    access.server = {.tls = false, .host = "127.0.0.1", .port = server->port()};
  }
  HttpApi& api() {
    if (!made) made = std::move(*HttpApi::make(access, clock));
    return *made;
  }
  std::string line(std::size_t i) const { return asked.at(i).method + " " + asked.at(i).target; }

  ManualClock clock{TimePoint{}};
  std::deque<Said> answers;
  std::vector<http::Request> asked;  // one connection at a time: no lock needed
  ClusterAccess access;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<HttpApi> made;
};

}  // namespace

TEST_F(HttpApiTest, CallsGoWhereTheApiServerExpectsThem) {
  (void)api().get(r::kSecrets, {"ns", "a"});
  (void)api().get(r::kStorageClasses, {"", "fast"});
  (void)api().list(r::kJobs, {.ns = "", .labelSelector = "a in (b)", .limit = 5, .continueToken = "t"});
  (void)api().create(r::kJobs, {{"metadata", {{"namespace", "ns"}}}});
  (void)api().patch(r::kReplicationSources, {"ns", "a"}, {{"x", 1}}, Subresource::Status);
  (void)api().remove(r::kSecrets, {"ns", "a"},
                     {.uid = "u", .resourceVersion = "7", .propagation = DeleteOptions::Propagation::Foreground});
  (void)api().logs({"ns", "p"}, {.container = "c", .tailLines = 5, .limitBytes = {}});
  ASSERT_EQ(asked.size(), 7u);
  EXPECT_EQ(line(0), "GET /api/v1/namespaces/ns/secrets/a");
  EXPECT_EQ(line(1), "GET /apis/storage.k8s.io/v1/storageclasses/fast");
  EXPECT_EQ(line(2), "GET /apis/batch/v1/jobs?labelSelector=a%20in%20%28b%29&limit=5&continue=t");
  EXPECT_EQ(line(3), "POST /apis/batch/v1/namespaces/ns/jobs");
  EXPECT_EQ(*parseJson(asked[3].body),
            (Json{{"apiVersion", "batch/v1"}, {"kind", "Job"}, {"metadata", {{"namespace", "ns"}}}}));
  EXPECT_EQ(line(4), "PATCH /apis/volsync.backube/v1alpha1/namespaces/ns/replicationsources/a/status");
  EXPECT_EQ(asked[4].header("content-type"), "application/merge-patch+json");
  EXPECT_EQ(*parseJson(asked[5].body), (Json{{"apiVersion", "v1"},
                                             {"kind", "DeleteOptions"},
                                             {"propagationPolicy", "Foreground"},
                                             {"preconditions", {{"uid", "u"}, {"resourceVersion", "7"}}}}));
  EXPECT_EQ(line(6), "GET /api/v1/namespaces/ns/pods/p/log?container=c&tailLines=5");
  (void)api().list(r::kPods, {.ns = "ns", .mayLag = true});
  EXPECT_EQ(line(7), "GET /api/v1/namespaces/ns/pods?resourceVersion=0");
}

TEST_F(HttpApiTest, APolicyThatRefusesIsNoWrongObject) {
  const auto refused = [](const char* message) {
    return statusError(422, Json{{"kind", "Status"}, {"reason", "Invalid"}, {"message", message}}.dump()).code;
  };
  EXPECT_EQ(refused("jobs.batch \"j\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no"),
            Errc::Forbidden);
  EXPECT_EQ(refused("Job.batch \"j\" is invalid: spec.template: Required value"), Errc::Invalid);
}

TEST_F(HttpApiTest, AWebhookThatRefusesIsNoWrongObject) {
  const auto refused = [](const char* message) {
    return statusError(400, Json{{"kind", "Status"}, {"message", message}}.dump()).code;
  };
  EXPECT_EQ(refused("admission webhook \"pods.example\" denied the request: no"), Errc::Forbidden);
  EXPECT_EQ(refused("admission webhook \"pods.example\" denied the request without explanation"), Errc::Forbidden);
  EXPECT_EQ(refused("the object provided is unrecognized: admission webhook \"x\" denied the request"), Errc::Invalid);
}

TEST_F(HttpApiTest, AsksWhetherAGroupIsServed) {
  answers = {{200, R"({"kind": "APIGroup"})"}, {404, "404 page not found"}, {403, "{}"}};
  EXPECT_TRUE(*api().serves("security.openshift.io"));
  EXPECT_EQ(line(0), "GET /apis/security.openshift.io");
  EXPECT_FALSE(*api().serves("security.openshift.io"));
  EXPECT_TRUE(api().serves("security.openshift.io").is(Errc::Forbidden));
}

TEST_F(HttpApiTest, NamesCannotLeaveTheirPlaceInThePath) {
  (void)api().get(r::kSecrets, {"n/s", "../a?b"});
  EXPECT_EQ(line(0), "GET /api/v1/namespaces/n%2Fs/secrets/..%2Fa%3Fb");
}

TEST_F(HttpApiTest, ListItemsLearnTheirKind) {
  answers.push_back(
      {.body = R"({"metadata":{"resourceVersion":"9","continue":"c"},"items":[{"metadata":{"name":"a"}}]})"});
  const auto list = api().list(r::kSecrets, {.ns = "ns"});
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->resourceVersion, "9");
  EXPECT_EQ(list->continueToken, "c");
  ASSERT_EQ(list->items.size(), 1u);
  EXPECT_EQ(text(list->items[0], "kind"), "Secret");
  EXPECT_EQ(text(list->items[0], "apiVersion"), "v1");
}

TEST_F(HttpApiTest, ABusyServerIsAskedAgainAsOftenAsIsDecent) {
  answers.push_back({.status = 429, .headers = {{"Retry-After", "0"}}});
  answers.push_back({.status = 503, .headers = {{"Retry-After", "0"}}});
  EXPECT_TRUE(api().get(r::kSecrets, {"ns", "a"}).ok());
  EXPECT_EQ(asked.size(), 3u);
  for (int i = 0; i < 4; ++i) answers.push_back({.status = 429, .headers = {{"Retry-After", "0"}}});
  EXPECT_TRUE(api().get(r::kSecrets, {"ns", "a"}).is(Errc::TooManyRequests));
  EXPECT_EQ(asked.size(), 7u);
  for (const std::string bad : {"", "soon", "-1", "99999", "5"}) {  // the last one: a server that starts
    answers.push_back({.status = 503, .headers = {{"Retry-After", bad}}});
    EXPECT_TRUE(api().get(r::kSecrets, {"ns", "a"}).is(Errc::Unavailable)) << bad;
  }
  EXPECT_EQ(asked.size(), 12u);
}

// A leader's successor may be at work by then.
TEST_F(HttpApiTest, AWriteDoesNotWaitForLong) {
  answers.push_back({.status = 429, .headers = {{"Retry-After", "3"}}});
  EXPECT_TRUE(
      api().create(r::kSecrets, {{"metadata", {{"namespace", "ns"}, {"name", "a"}}}}).is(Errc::TooManyRequests));
  answers.push_back({.status = 429, .headers = {{"Retry-After", "3"}}});
  EXPECT_TRUE(api().patch(r::kSecrets, {"ns", "a"}, {{"x", 1}}).is(Errc::TooManyRequests));
  answers.push_back({.status = 429, .headers = {{"Retry-After", "3"}}});
  EXPECT_TRUE(api().remove(r::kSecrets, {"ns", "a"}, {}).is(Errc::TooManyRequests));
  EXPECT_EQ(asked.size(), 3u);
  answers.push_back({.status = 429, .headers = {{"Retry-After", "0"}}});
  EXPECT_TRUE(api().patch(r::kSecrets, {"ns", "a"}, {{"x", 1}}).ok());
}

TEST_F(HttpApiTest, WhoHasNoTimeHearsOfABusyServerAtOnce) {
  made = std::move(*HttpApi::make(access, clock, {.pauses = 0}));
  answers.push_back({.status = 429, .headers = {{"Retry-After", "10"}}});
  EXPECT_TRUE(api().get(r::kSecrets, {"ns", "a"}).is(Errc::TooManyRequests));
  EXPECT_EQ(asked.size(), 1u);
}

TEST_F(HttpApiTest, ATokenFileIsReadAgainAndItsOldTokenServesMeanwhile) {
  char dir[] = "/tmp/godwit-token-XXXXXX";
  ASSERT_NE(::mkdtemp(dir), nullptr);
  const std::filesystem::path file = std::filesystem::path(dir) / "token";
  access.tokenFile = file;
  ASSERT_TRUE(writeFileAtomic(file, "one\n", 0600).ok());
  (void)api().get(r::kSecrets, {"ns", "a"});
  ASSERT_TRUE(writeFileAtomic(file, "two", 0600).ok());
  clock.advance(1min);
  (void)api().get(r::kSecrets, {"ns", "a"});
  std::filesystem::remove_all(dir);
  clock.advance(1min);
  (void)api().get(r::kSecrets, {"ns", "a"});
  EXPECT_THAT((std::vector{asked[0].header("authorization"), asked[1].header("authorization"),
                           asked[2].header("authorization")}),
              ElementsAre("Bearer one", "Bearer two", "Bearer two"));
}

TEST_F(HttpApiTest, AnAnswerThatIsNoJsonIsAnError) {
  answers.push_back({.body = "<html>"});
  EXPECT_FALSE(api().get(r::kSecrets, {"ns", "a"}).ok());
}

TEST_F(HttpApiTest, AWatchReadsLinesAndErrorsFromTheStream) {
  answers.push_back({.body = R"({"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"11"}}}
{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"12"}}}
{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}}
)"});
  auto watch = api().watch(r::kSecrets, {.ns = "ns", .resourceVersion = "10"});
  ASSERT_TRUE(watch.ok()) << watch.error().message;
  EXPECT_EQ(line(0), "GET /api/v1/namespaces/ns/secrets?watch=1&resourceVersion=10&allowWatchBookmarks=true");
  const auto added = (*watch)->next(20s);
  ASSERT_TRUE(added.ok() && *added);
  EXPECT_EQ((*added)->type, WatchEvent::Type::Added);
  EXPECT_EQ(text((*added)->object, "kind"), "Secret");
  const auto bookmark = (*watch)->next(20s);
  ASSERT_TRUE(bookmark.ok() && *bookmark);
  EXPECT_EQ((*bookmark)->type, WatchEvent::Type::Bookmark);
  const auto gone = (*watch)->next(20s);
  ASSERT_TRUE(gone.is(Errc::Gone));
  EXPECT_THAT(gone.error().message, HasSubstr("too old"));
  EXPECT_TRUE((*watch)->next(20s).is(Errc::Unavailable));
}

TEST_F(HttpApiTest, AWatchThatBreaksInALineOrSpeaksNonsenseIsUnavailable) {
  for (const std::string bad : {R"({"type":"ADD)", "nonsense\n", "{\"type\":\"EXPLODED\"}\n", "[]\n", ""}) {
    answers.push_back({.body = bad});
    auto watch = api().watch(r::kSecrets, {.ns = "ns"});
    ASSERT_TRUE(watch.ok());
    EXPECT_TRUE((*watch)->next(20s).is(Errc::Unavailable)) << bad;
  }
}

// A peer that vanished without a word leaves a connection that never says anything again.
TEST_F(HttpApiTest, AWatchThatIsSilentForLongerThanBookmarksTakeIsOpenedAgain) {
  answers.push_back(
      {.body = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"11\"}}}\n",
       .open = true});
  auto watch = api().watch(r::kSecrets, {.ns = "ns"});
  ASSERT_TRUE(watch.ok());
  clock.advance(9min);
  const auto added = (*watch)->next(20s);
  ASSERT_TRUE(added.ok() && *added);
  clock.advance(9min);
  const auto quiet = (*watch)->next(10ms);
  ASSERT_TRUE(quiet.ok()) << quiet.error().message;
  EXPECT_FALSE(*quiet);
  clock.advance(1min);
  EXPECT_TRUE((*watch)->next(10ms).is(Errc::Unavailable));
}

TEST_F(HttpApiTest, AWatchThatIsRefusedSaysWhy) {
  answers.push_back({.status = 410, .body = R"({"kind":"Status","reason":"Expired","message":"compacted"})"});
  const auto watch = api().watch(r::kSecrets, {.ns = "ns", .resourceVersion = "1"});
  ASSERT_TRUE(watch.is(Errc::Gone));
  EXPECT_EQ(watch.error().message, "compacted");
}

TEST_F(HttpApiTest, AKindThatTheServerDoesNotKnowIsNamed) {
  answers.push_back({.status = 404, .body = "404 page not found"});
  answers.push_back({.status = 404, .body = "404 page not found"});
  const auto list = api().list(r::kVolumeSnapshots, {});
  const auto created = api().create(r::kVolumeSnapshots, {{"metadata", {{"namespace", "ns"}}}});
  for (const auto& error : {list.error(), created.error()}) {
    EXPECT_EQ(error.code, Errc::Unsupported);
    EXPECT_THAT(error.message, HasSubstr("VolumeSnapshot (snapshot.storage.k8s.io/v1)"));
  }
}

TEST_F(HttpApiTest, ARefusalSoonAfterAnOutageMeansNotYet) {
  const Said refusal{.status = 403, .body = R"({"kind":"Status","reason":"Forbidden","message":"cannot get"})"};
  answers = {refusal, {.status = 500}, refusal, refusal};
  EXPECT_TRUE(api().get(r::kSecrets, {"ns", "a"}).is(Errc::Forbidden));
  EXPECT_TRUE(api().get(r::kSecrets, {"ns", "a"}).is(Errc::Unavailable));
  const auto early = api().get(r::kSecrets, {"ns", "a"});
  EXPECT_TRUE(early.is(Errc::Unavailable));
  EXPECT_THAT(early.error().message, HasSubstr("cannot get"));
  clock.advance(16s);
  EXPECT_TRUE(api().get(r::kSecrets, {"ns", "a"}).is(Errc::Forbidden));
}

TEST_F(HttpApiTest, AnOutageThatOneClientSawIsKnownToItsOther) {
  const Said refusal{.status = 403, .body = R"({"kind":"Status","reason":"Forbidden","message":"cannot get"})"};
  const auto outages = std::make_shared<Outages>();
  made = std::move(*HttpApi::make(access, clock, {.outages = outages}));
  const auto other = std::move(*HttpApi::make(access, clock, {.outages = outages}));
  answers = {refusal, {.status = 500}, refusal};
  EXPECT_TRUE(other->get(r::kSecrets, {"ns", "a"}).is(Errc::Forbidden));
  EXPECT_TRUE(api().get(r::kSecrets, {"ns", "a"}).is(Errc::Unavailable));
  EXPECT_TRUE(other->get(r::kSecrets, {"ns", "a"}).is(Errc::Unavailable));
}

TEST_F(HttpApiTest, ShutDownEndsThePauseThatABusyServerAsksFor) {
  answers.push_back({.status = 429, .headers = {{"Retry-After", "10"}}});
  auto& shared = api();  // made before two threads ask for it
  std::thread caller([&] { EXPECT_TRUE(shared.get(r::kSecrets, {"ns", "a"}).is(Errc::Cancelled)); });
  shared.shutDown();
  caller.join();
}

TEST_F(HttpApiTest, AWatchThatABusyServerRefusesIsNotAskedForAgainSoonerThanItSays) {
  answers.push_back({.status = 429, .headers = {{"Retry-After", "10"}}});
  auto& shared = api();
  std::thread caller([&] { EXPECT_TRUE(shared.watch(r::kSecrets, {}).is(Errc::Cancelled)); });  // it would wait
  shared.shutDown();
  caller.join();
}

TEST_F(HttpApiTest, CountsWhatItAskedAndWatchesAreFree) {
  made = std::move(*HttpApi::make(access, clock, {.requestsPerSecond = 0.001, .burst = 2}));
  (void)api().get(r::kSecrets, {"ns", "a"});
  answers.push_back({.status = 409, .body = "{}"});
  (void)api().patch(r::kReplicationSources, {"ns", "a"}, {{"x", 1}}, Subresource::Status);
  EXPECT_TRUE(api().watch(r::kSecrets, {}).ok());  // the tokens are used up
  EXPECT_EQ(api().counts(), (std::map<HttpApi::Count, std::uint64_t>{
                                {{"get", "secrets", 200}, 1}, {{"patch", "replicationsources/status", 409}, 1}}));
  auto& shared = api();  // made before two threads ask for it
  std::thread caller([&] { EXPECT_TRUE(shared.get(r::kSecrets, {"ns", "a"}).is(Errc::Cancelled)); });
  shared.shutDown();
  caller.join();
}
