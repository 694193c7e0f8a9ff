#include "base/json.h"

#include <gtest/gtest.h>

using namespace godwit;

TEST(Json, FindWalksObjectsOnly) {
  const Json j = {{"a", {{"b", "x"}}}, {"n", 3}};
  EXPECT_EQ(text(j, "a", "b"), "x");
  EXPECT_EQ(text(j, "a", "c"), "");
  EXPECT_EQ(text(j, "n", "b"), "");
  EXPECT_EQ(number(7, j, "n"), 3);
  EXPECT_EQ(number(7, j, "a"), 7);
}

TEST(Json, BadInputIsAnErrorNotACrash) {
  EXPECT_EQ(parseJson("{").error().code, Errc::Invalid);
  EXPECT_EQ(parseJson("\xff").error().code, Errc::Invalid);
  EXPECT_EQ(parseJson(std::string(100000, '[')).error().code, Errc::Invalid);
}

TEST(Json, MergePatchRemovesNulls) {
  Json j = {{"a", 1}, {"b", {{"c", 2}, {"d", 3}}}};
  mergePatch(j, {{"a", nullptr}, {"b", {{"c", nullptr}}}});
  EXPECT_EQ(j, (Json{{"b", {{"d", 3}}}}));
}

TEST(Json, NumbersThatDoNotFitAreNotNumbers) {
  EXPECT_EQ(wholeNumber(Json(-5)), -5);
  EXPECT_EQ(wholeNumber(Json(2.0)), 2);
  EXPECT_EQ(wholeNumber(Json(2.5)), std::nullopt);
  EXPECT_EQ(wholeNumber(Json(1e300)), std::nullopt);
  EXPECT_EQ(wholeNumber(Json(18446744073709551615ull)), std::nullopt);
  EXPECT_EQ(wholeNumber(Json("3")), std::nullopt);
  EXPECT_EQ(number(7, Json{{"n", 1e300}}, "n"), 7);
}
