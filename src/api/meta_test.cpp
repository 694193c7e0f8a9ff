#include "api/meta.h"

#include <gtest/gtest.h>

using namespace godwit;
using namespace godwit::api;

TEST(Time, FormatsAsKubernetesDoes) {
  EXPECT_EQ(formatTime(TimePoint{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(formatTime(TimePoint(std::chrono::seconds(1610653387)) + std::chrono::milliseconds(999)),
            "2021-01-14T19:43:07Z");
  EXPECT_EQ(formatTime(TimePoint(Duration(-1))), "1969-12-31T23:59:59Z");
}

TEST(Time, ParsesEveryFormOfRfc3339) {
  const auto t = *parseTime("2021-01-14T19:43:07Z");
  EXPECT_EQ(formatTime(t), "2021-01-14T19:43:07Z");
  EXPECT_EQ(*parseTime("2021-01-14T20:43:07+01:00"), t);
  EXPECT_EQ(*parseTime("2021-01-14T14:13:07-05:30"), t);
  EXPECT_EQ(*parseTime("2021-01-14T19:43:07.25Z"), t + std::chrono::milliseconds(250));
  EXPECT_EQ(*parseTime("2021-01-14T19:43:07.1234567899Z"), t + Duration(123456789));
}

TEST(Time, RefusesWhatIsNotATime) {
  for (const char* bad :
       {"", "2021", "2021-01-14", "2021-01-14T19:43:07", "2021-13-14T19:43:07Z", "2021-02-29T00:00:00Z",
        "2021-01-14T24:00:00Z", "2021-01-14T19:60:07Z", "2021-01-14T19:43:60Z", "2021-01-14T19:43:07.Z",
        "2021-01-14T19:43:07+24:00", "2021-01-14T19:43:07Zx", "0000-01-14T19:43:07Z", "9999-01-14T19:43:07Z",
        "-021-01-14T19:43:07Z", "2021-01-14 19:43:07Z"})
    EXPECT_TRUE(parseTime(bad).is(Errc::Invalid)) << bad;
}

TEST(Time, EveryTruncationIsRefused) {
  const std::string whole = "2021-01-14T19:43:07.25+01:00";
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(parseTime(whole.substr(0, n)).ok()) << n;
}

TEST(Meta, RoundTrip) {
  const Json object = {
      {"metadata",
       {{"name", "a"},
        {"namespace", "n"},
        {"uid", "u"},
        {"resourceVersion", "7"},
        {"generation", 3},
        {"labels", {{"k", "v"}}},
        {"annotations", {{"x", "y"}}},
        {"finalizers", {"f"}},
        {"creationTimestamp", "2021-01-14T19:43:07Z"},
        {"ownerReferences",
         Json::array({{{"apiVersion", "v1"}, {"kind", "Pod"}, {"name", "p"}, {"uid", "pu"}, {"controller", true}}})}}}};
  const auto meta = metaFromJson(object);
  EXPECT_EQ(toJson(meta), object["metadata"]);
  EXPECT_EQ(meta.key().str(), "n/a");
  ASSERT_TRUE(meta.controller());
  EXPECT_EQ(meta.controller()->uid, "pu");
  EXPECT_EQ(meta.label("k"), "v");
  EXPECT_EQ(meta.annotation("none"), "");
}

TEST(Meta, WrongTypesAreLeftOut) {
  const auto meta =
      metaFromJson(Json::parse(R"({"metadata": {"name": 1, "labels": {"a": 1, "b": "c"}, "generation": 1e300,
      "ownerReferences": ["x", null, {"name": 3}], "finalizers": "f", "creationTimestamp": "yesterday"}})"));
  EXPECT_EQ(meta.name, "");
  EXPECT_EQ(meta.generation, 0);
  EXPECT_EQ(meta.labels, (StringMap{{"b", "c"}}));
  EXPECT_EQ(meta.ownerReferences.size(), 1u);
  EXPECT_EQ(meta.controller(), nullptr);
  EXPECT_FALSE(meta.creationTimestamp);
  EXPECT_EQ(metaFromJson(Json(nullptr)).name, "");
  EXPECT_EQ(metaFromJson(Json{{"metadata", "text"}}).name, "");
}
