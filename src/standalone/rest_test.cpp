#include "standalone/rest_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/core.h"
#include "standalone/admission.h"

namespace godwit::standalone {
namespace {

namespace r = kube::resources;
using testing::HasSubstr;

// Ends the stream after `lines` writes, as a client that goes away.
class Lines final : public http::ResponseWriter {
 public:
  explicit Lines(std::size_t lines) : lines_(lines) {}
  void send(int, const http::Headers&, std::string_view) override {}
  bool startStream(int, const http::Headers&) override { return true; }
  bool write(std::string_view chunk) override {
    got.emplace_back(chunk);
    if (got.size() >= lines_) source_.request_stop();
    return true;
  }
  std::stop_token closed() const override { return source_.get_token(); }
  std::vector<std::string> got;

 private:
  std::size_t lines_;
  std::stop_source source_;
};

class RestTest : public testing::Test {
 protected:
  void SetUp() override {
    store = std::move(*Store::open({}, clock, random));
    installAdmission(*store);
    const auto seeded = seedCustomResourceDefinitions(*store);
    ASSERT_TRUE(seeded.ok()) << seeded.error().message;
    api = std::make_unique<RestApi>(*store, clock, RestOptions{"secret"});
  }

  RestAnswer ask(const std::string& method, const std::string& target, const Json& body = {},
                 http::Headers headers = {}) {
    http::Request request;
    request.method = method;
    request.target = target;
    EXPECT_TRUE(http::splitTarget(request).ok());
    headers.emplace("Authorization", "Bearer secret");
    headers.emplace("Content-Type", "application/json");
    request.headers = std::move(headers);
    if (!body.is_null()) request.body = dumpJson(body);
    return api->answer(request);
  }
  Json json(const RestAnswer& answer) { return *parseJson(answer.reply.body); }
  RestAnswer patch(const std::string& target, const char* type, const Json& body) {
    return ask("PATCH", target, body, {{"Content-Type", type}});
  }
  static Json claim(const std::string& name) {
    return {{"metadata", {{"name", name}}},
            {"spec", {{"accessModes", {"ReadWriteOnce"}}, {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}};
  }
  static constexpr const char* kSecrets = "/api/v1/namespaces/default/secrets";
  static constexpr const char* kClaims = "/api/v1/namespaces/default/persistentvolumeclaims";
  static constexpr const char* kSources = "/apis/volsync.backube/v1alpha1/namespaces/default/replicationsources";
  static constexpr const char* kMerge = "application/merge-patch+json";

  ManualClock clock{TimePoint(std::chrono::seconds(1700000000))};
  Random random{3};
  std::unique_ptr<Store> store;
  std::unique_ptr<RestApi> api;
};

TEST_F(RestTest, OnlyTheTokenOpensTheDoor) {
  http::Request request;
  request.method = "GET";
  request.path = "/api/v1/namespaces";
  EXPECT_EQ(api->answer(request).reply.status, 401);
  request.headers = {{"Authorization", "Bearer secreT"}};
  EXPECT_EQ(api->answer(request).reply.status, 401);
  EXPECT_EQ(text(json(api->answer(request)), "reason"), "Unauthorized");
  request.headers = {{"authorization", "Bearer secret"}};
  EXPECT_EQ(api->answer(request).reply.status, 200);
  request.headers.clear();
  request.path = "/readyz";
  EXPECT_EQ(api->answer(request).reply.body, "ok");
}

TEST_F(RestTest, DiscoveryNamesEverythingServed) {
  EXPECT_EQ(text(json(ask("GET", "/version")), "major"), "1");
  std::size_t kinds = 0;
  const auto count = [&](const std::string& path) {
    const Json list = json(ask("GET", path));
    for (const auto& entry : list["resources"]) kinds += text(entry, "name").find('/') == std::string::npos;
  };
  count("/api/v1");
  const Json groups = json(ask("GET", "/apis"));
  for (const auto& group : groups["groups"]) count("/apis/" + text(group, "preferredVersion", "groupVersion"));
  EXPECT_EQ(kinds, r::all().size() + 3);  // and the reviews
  EXPECT_EQ(ask("GET", "/openapi/v3/apis/batch/v1").reply.status, 200);
  EXPECT_THAT(ask("GET", "/openapi/v2").reply.contentType, HasSubstr("protobuf"));
  EXPECT_EQ(ask("GET", "/apis/apps/v1").reply.status, 404);
  EXPECT_EQ(ask("GET", "/api/v1/gadgets").reply.status, 404);
}

TEST_F(RestTest, ObjectsComeAndGo) {
  const auto made = ask("POST", kSecrets, {{"metadata", {{"name", "a"}}}, {"stringData", {{"k", "v"}}}});
  ASSERT_EQ(made.reply.status, 201) << made.reply.body;
  EXPECT_EQ(text(json(made), "data", "k"), api::base64Encode("v"));
  EXPECT_FALSE(find(json(made), "stringData"));
  const auto again = ask("POST", kSecrets, {{"metadata", {{"name", "a"}}}});
  EXPECT_EQ(again.reply.status, 409);
  EXPECT_EQ(text(json(again), "reason"), "AlreadyExists");
  EXPECT_EQ(text(json(again), "details", "name"), "a");
  EXPECT_EQ(json(ask("GET", kSecrets))["items"].size(), 1u);
  EXPECT_EQ(json(ask("GET", "/api/v1/secrets"))["kind"], "SecretList");
  const std::string one = std::string(kSecrets) + "/a";
  EXPECT_EQ(ask("GET", one).reply.status, 200);
  EXPECT_EQ(text(json(ask("DELETE", one)), "status"), "Success");
  const auto gone = ask("GET", one);
  EXPECT_EQ(gone.reply.status, 404);
  EXPECT_EQ(text(json(gone), "message"), "secrets \"a\" not found");
}

TEST_F(RestTest, BodiesAreHostile) {
  EXPECT_EQ(ask("POST", kSecrets).reply.status, 400);
  EXPECT_EQ(ask("POST", kSecrets, Json(7)).reply.status, 400);
  EXPECT_EQ(ask("POST", kSecrets, {{"metadata", 7}}).reply.status, 400);
  EXPECT_EQ(ask("POST", kSecrets, {{"metadata", {{"name", "a"}, {"namespace", "other"}}}}).reply.status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/secrets", {{"metadata", {{"name", "a"}}}}).reply.status, 400);
  EXPECT_EQ(ask("POST", kSecrets, {}, {{"Content-Type", "application/vnd.kubernetes.protobuf"}}).reply.status, 400);
  EXPECT_EQ(ask("POST", kSecrets, {}, {{"Content-Type", "application/yaml"}}).reply.status, 415);
  EXPECT_EQ(ask("GET", kSecrets, {}, {{"Accept", "application/vnd.kubernetes.protobuf"}}).reply.status, 406);
  EXPECT_EQ(ask("PUT", kSecrets, {}).reply.status, 405);
  EXPECT_EQ(ask("POST", std::string(kSecrets) + "?dryRun=Some", {{"metadata", {{"name", "a"}}}}).reply.status, 400);
  EXPECT_EQ(ask("GET", std::string(kSecrets) + "?limit=x").reply.status, 400);
  EXPECT_EQ(ask("GET", std::string(kSecrets) + "?labelSelector=a%20in%20b").reply.status, 400);
}

TEST_F(RestTest, ARefusalNamesTheField) {
  const auto refused = ask("POST", kClaims, {{"metadata", {{"name", "c"}}}, {"spec", Json::object()}});
  EXPECT_EQ(refused.reply.status, 422);
  EXPECT_EQ(text(json(refused)["details"]["causes"][0], "field"), "spec.accessModes");
}

// One such object in a list, and typed clients can read none of them.
TEST_F(RestTest, WrongTypesAreRefused) {
  const Json metadata{{"name", "a"}};
  const auto refusal = [&](const std::string& where, const Json& body) {
    const auto answer = ask("POST", where, body);
    EXPECT_EQ(answer.reply.status, 422) << answer.reply.body;
    return text(json(answer), "message");
  };
  const std::string core = "/api/v1/namespaces/default/";
  EXPECT_THAT(refusal(core + "configmaps", {{"metadata", metadata}, {"data", {{"k", 1}}}}), HasSubstr("data.k"));
  EXPECT_THAT(refusal(core + "configmaps", {{"metadata", metadata}, {"data", {"k"}}}), HasSubstr("data"));
  EXPECT_THAT(refusal("/api/v1/namespaces", {{"metadata", metadata}, {"spec", "x"}}), HasSubstr("spec"));
  const Json container{{"name", "c"}, {"image", "i"}, {"command", "sleep 1"}};
  EXPECT_THAT(refusal(core + "pods", {{"metadata", metadata}, {"spec", {{"containers", {container}}}}}),
              HasSubstr("spec.containers[0].command"));
  EXPECT_EQ(ask("POST", core + "configmaps", {{"metadata", metadata}, {"data", nullptr}}).reply.status, 201);
}

TEST_F(RestTest, UnknownFieldsAreWarnedOfOrRefused) {
  Json odd = claim("c");
  odd["spec"]["sise"] = 1;
  odd["metadata"]["lables"] = Json::object();
  const auto strict = ask("POST", std::string(kClaims) + "?fieldValidation=Strict", odd);
  EXPECT_EQ(strict.reply.status, 400);
  EXPECT_THAT(strict.reply.body, HasSubstr("spec.sise"));
  testing::internal::CaptureStderr();
  const auto warned = ask("POST", kClaims, odd);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "who asked has been told";
  ASSERT_EQ(warned.reply.status, 201);
  ASSERT_EQ(warned.reply.headers.size(), 2u);
  EXPECT_EQ(warned.reply.headers[1].second, "299 - \"unknown field \\\"metadata.lables\\\"\"");
  EXPECT_FALSE(find(json(warned), "metadata", "lables"));
  EXPECT_EQ(warned.reply.headers[0].second, "299 - \"unknown field \\\"spec.sise\\\"\"");
  EXPECT_FALSE(find(json(warned), "spec", "sise"));
  EXPECT_TRUE(
      ask("POST", std::string(kClaims) + "?fieldValidation=Ignore&dryRun=All", claim("d")).reply.headers.empty());
  EXPECT_EQ(ask("GET", std::string(kClaims) + "/d").reply.status, 404);
}

TEST_F(RestTest, TheResourcesFollowTheirSchema) {
  const auto bad = ask("POST", kSources, {{"metadata", {{"name", "s"}}}, {"spec", {{"sourcePVC", 7}}}});
  EXPECT_EQ(bad.reply.status, 422);
  EXPECT_THAT(bad.reply.body, HasSubstr("spec.sourcePVC"));
  EXPECT_EQ(ask("POST", kSources, {{"metadata", {{"name", "s"}}}, {"spec", {{"sourcePVC", "p"}}}}).reply.status, 201);
  const auto strict = patch(std::string(kSources) + "/s?fieldValidation=Strict", kMerge, {{"spec", {{"nonsense", 1}}}});
  EXPECT_EQ(strict.reply.status, 400);
  EXPECT_EQ(patch(std::string(kSources) + "/s", "application/strategic-merge-patch+json", {{"spec", Json::object()}})
                .reply.status,
            415);
  const auto status = patch(std::string(kSources) + "/s/status", kMerge, {{"status", {{"lastManualSync", "x"}}}});
  EXPECT_EQ(text(json(status), "status", "lastManualSync"), "x");
}

TEST_F(RestTest, PatchesOfAllKinds) {
  ASSERT_EQ(ask("POST", kClaims, claim("c")).reply.status, 201);
  const std::string one = std::string(kClaims) + "/c";
  EXPECT_EQ(text(json(patch(one, kMerge, {{"metadata", {{"labels", {{"a", "b"}}}}}})), "metadata", "labels", "a"), "b");
  const Json add = Json::array({{{"op", "add"}, {"path", "/metadata/labels/c"}, {"value", "d"}}});
  EXPECT_EQ(text(json(patch(one, "application/json-patch+json", add)), "metadata", "labels", "c"), "d");
  const Json fails = Json::array({{{"op", "test"}, {"path", "/metadata/labels/c"}, {"value", "e"}}});
  EXPECT_EQ(patch(one, "application/json-patch+json", fails).reply.status, 422);
  EXPECT_EQ(patch(one, "application/json-patch+json", Json::object()).reply.status, 400);
  const Json inText = Json::array({{{"op", "add"}, {"path", "/metadata/name/x"}, {"value", "e"}}});
  EXPECT_EQ(patch(one, "application/json-patch+json", inText).reply.status, 422);
  Json doubling = Json::array({{{"op", "add"}, {"path", "/metadata/annotations"}, {"value", {{"a", {{"b", "c"}}}}}}});
  for (int i = 0; i < 60; ++i)
    doubling.push_back(
        {{"op", "copy"}, {"from", "/metadata"}, {"path", "/metadata/annotations/x" + std::to_string(i)}});
  EXPECT_THAT(patch(one, "application/json-patch+json", doubling).reply.body, HasSubstr("copies more than"));
  EXPECT_EQ(
      patch(one, "application/strategic-merge-patch+json", {{"metadata", {{"labels", {{"a", nullptr}}}}}}).reply.status,
      200);
  EXPECT_EQ(patch(one, "application/apply-patch+yaml", Json::object()).reply.status, 415);
  EXPECT_EQ(patch(one, kMerge, {{"spec", {{"accessModes", {"ReadWriteMany"}}}}}).reply.status, 422);
  EXPECT_EQ(patch(one, kMerge, {{"spec", {{"resources", {{"requests", {{"storage", "2Gi"}}}}}}}}).reply.status, 200);
  EXPECT_EQ(patch(one, kMerge, {{"spec", {{"resources", {{"requests", {{"storage", "1Gi"}}}}}}}}).reply.status, 422);
  EXPECT_EQ(patch(one, kMerge, {{"metadata", {{"resourceVersion", "1"}}}}).reply.status, 409);
}

TEST_F(RestTest, ReplaceKeepsTheLock) {
  auto made = json(ask("POST", kClaims, claim("c")));
  made["metadata"]["labels"] = {{"a", "b"}};
  const std::string one = std::string(kClaims) + "/c";
  EXPECT_EQ(ask("PUT", one, made).reply.status, 200);
  made["metadata"]["labels"] = {{"a", "c"}};
  EXPECT_EQ(ask("PUT", one, made).reply.status, 409);
  made["metadata"].erase("resourceVersion");
  EXPECT_EQ(ask("PUT", one, made).reply.status, 200);
  EXPECT_EQ(ask("PUT", std::string(kClaims) + "/d", made).reply.status, 400);
}

TEST_F(RestTest, DeletionHasOptions) {
  ask("POST", kSecrets, {{"metadata", {{"name", "a"}, {"finalizers", {"x/y"}}}}});
  const std::string one = std::string(kSecrets) + "/a";
  EXPECT_EQ(ask("DELETE", one, {{"preconditions", {{"uid", "other"}}}}).reply.status, 409);
  EXPECT_EQ(ask("DELETE", one, {{"propagationPolicy", "Sideways"}}).reply.status, 400);
  EXPECT_EQ(ask("DELETE", one, {{"gracePeriodSeconds", -1}}).reply.status, 400);
  // What was meant to hold a deletion back and cannot be understood must not let it through.
  EXPECT_EQ(ask("DELETE", one, {{"dryRun", {"Some"}}}).reply.status, 400);
  EXPECT_EQ(ask("DELETE", one, {{"dryRun", "All"}}).reply.status, 400);
  EXPECT_EQ(ask("DELETE", one, {{"preconditions", "x"}}).reply.status, 400);
  EXPECT_EQ(ask("DELETE", one, {{"dryRun", {"All"}}}).reply.status, 200);
  EXPECT_FALSE(find(json(ask("GET", one)), "metadata", "deletionTimestamp"));
  const auto held = ask("DELETE", one);
  EXPECT_EQ(text(json(held), "kind"), "Secret");
  EXPECT_NE(text(json(held), "metadata", "deletionTimestamp"), "");
  ask("POST", kSecrets, {{"metadata", {{"name", "b"}}}});
  EXPECT_EQ(json(ask("DELETE", std::string(kSecrets) + "?fieldSelector=metadata.name%3Db"))["items"].size(), 1u);
  EXPECT_EQ(ask("GET", std::string(kSecrets) + "/b").reply.status, 404);
}

TEST_F(RestTest, WatchesStreamLines) {
  const auto from = store->resourceVersion();
  ask("POST", kSecrets, {{"metadata", {{"name", "a"}}}});
  ask("DELETE", std::string(kSecrets) + "/a");
  const auto answer = ask("GET", std::string(kSecrets) + "?watch=true&resourceVersion=" + from);
  ASSERT_TRUE(answer.stream);
  Lines lines(2);
  answer.stream(lines);
  ASSERT_EQ(lines.got.size(), 2u);
  EXPECT_EQ(text(*parseJson(lines.got[0]), "type"), "ADDED");
  EXPECT_EQ(text(*parseJson(lines.got[1]), "type"), "DELETED");
  Lines gone(1);
  ask("GET", std::string(kSecrets) + "?watch=1&resourceVersion=99999").stream(gone);
  EXPECT_EQ(number(0, *parseJson(gone.got.at(0)), "object", "code"), 410);
  const auto list =
      ask("GET", std::string(kSecrets) + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
  EXPECT_FALSE(list.stream);
  EXPECT_EQ(list.reply.status, 422);
}

TEST_F(RestTest, ListsAreOfNow) {
  const std::string list = std::string(kSecrets) + "?";
  const auto now = store->resourceVersion();
  EXPECT_EQ(ask("GET", list + "resourceVersion=0").reply.status, 200);
  EXPECT_EQ(ask("GET", list + "resourceVersion=1&resourceVersionMatch=NotOlderThan").reply.status, 200);
  EXPECT_EQ(ask("GET", list + "resourceVersionMatch=Exact&resourceVersion=" + now).reply.status, 200);
  EXPECT_EQ(ask("GET", list + "resourceVersionMatch=Exact&resourceVersion=1").reply.status, 410);
  EXPECT_EQ(ask("GET", list + "resourceVersion=99999").reply.status, 504);
  for (const char* wrong : {"resourceVersion=x", "resourceVersionMatch=Exact",
                            "resourceVersion=1&resourceVersionMatch=x", "sendInitialEvents=true"}) {
    EXPECT_EQ(ask("GET", list + wrong).reply.status, 400) << wrong;
  }
}

TEST_F(RestTest, TablesForPeople) {
  ask("POST", kClaims, claim("c"));
  const http::Headers accept{{"Accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}};
  const auto table = json(ask("GET", kClaims, {}, accept));
  EXPECT_EQ(text(table, "kind"), "Table");
  EXPECT_EQ(table["rows"][0]["cells"][0], "c");
  EXPECT_EQ(text(json(ask("GET", std::string(kClaims) + "/c", {}, accept)), "kind"), "Table");
}

TEST_F(RestTest, LogsAreReadAndFollowed) {
  ASSERT_EQ(ask("POST", "/api/v1/namespaces/default/pods",
                {{"metadata", {{"name", "p"}}}, {"spec", {{"containers", {{{"name", "c"}, {"image", "i"}}}}}}})
                .reply.status,
            201);
  std::string log = "one\n";
  store->setLogSource([&](const auto&, const auto&) { return Result<std::string>(log); });
  const std::string url = "/api/v1/namespaces/default/pods/p/log";
  EXPECT_EQ(ask("GET", url).reply.body, "one\n");
  EXPECT_EQ(ask("GET", url + "?tailLines=x").reply.status, 400);
  EXPECT_EQ(ask("GET", url + "?previous=true").reply.status, 400);
  EXPECT_EQ(ask("GET", url + "?container=other").reply.status, 400);
  const auto follow = ask("GET", url + "?follow=true&container=c");
  ASSERT_TRUE(follow.stream);
  log += "two\n";
  patch("/api/v1/namespaces/default/pods/p/status", kMerge, {{"status", {{"phase", "Succeeded"}}}});
  Lines lines(9);
  follow.stream(lines);
  EXPECT_EQ(lines.got, (std::vector<std::string>{"one\n", "two\n"}));
}

TEST_F(RestTest, WhoHoldsTheTokenMayDoEverything) {
  const auto review = ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {{"spec", Json::object()}});
  EXPECT_TRUE(truth(json(review), "status", "allowed"));
  const auto rules = ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {{"spec", Json::object()}});
  EXPECT_EQ(json(rules)["status"]["resourceRules"][0]["verbs"][0], "*");
}

}  // namespace
}  // namespace godwit::standalone
