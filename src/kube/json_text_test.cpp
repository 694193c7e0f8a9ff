#include "kube/json_text.h"

#include <gtest/gtest.h>

using namespace godwit;
using namespace godwit::kube;

namespace {

std::string dropped(std::string text) {
  dropManagedFields(text);
  return text;
}

std::string listed(std::string_view text) {
  std::string out;
  const auto rest = parseList(text, [&](const Json& item) { out += dumpJson(item) + ";"; });
  return rest.ok() ? out + dumpJson(*rest) : std::string("invalid");
}

}  // namespace

TEST(DropManagedFields, TakesItOutWhereverItStandsAndLeavesValidJson) {
  EXPECT_EQ(dropped(R"({"a":1,"managedFields":[{"f":{"x":"]}\""}}],"b":2})"), R"({"a":1,"b":2})");
  EXPECT_EQ(dropped(R"({"a":1,"managedFields":[]})"), R"({"a":1})");
  EXPECT_EQ(dropped(R"({"managedFields":[1,[2]]})"), R"({})");
  EXPECT_EQ(dropped(R"({"managedFields":[1],"a":1})"), R"({"a":1})");
  EXPECT_EQ(dropped(R"([{"managedFields":[1]},{"managedFields":[2],"b":3},{"c":4,"managedFields":[5]}])"),
            R"([{},{"b":3},{"c":4}])");
}

TEST(DropManagedFields, LeavesEverythingElseAlone) {
  for (const std::string text :
       {R"({"a":"\"managedFields\":[1]"})", R"({"managedFields":"text"})", R"({"managedFields":{"a":1}})", "", "x",
        R"({"managedFields":[1)", R"({"managedFields":["unterminated)"}) {
    EXPECT_EQ(dropped(text), text);
  }
}

TEST(ParseList, GivesItemsOneByOneAndTheRest) {
  EXPECT_EQ(
      listed(R"({"kind":"L","metadata":{"resourceVersion":"7"},"items":[{"a":"x]},{"},{"b":[1,{"c":2}]}],"z":1})"),
      R"({"a":"x]},{"};{"b":[1,{"c":2}]};{"items":null,"kind":"L","metadata":{"resourceVersion":"7"},"z":1})");
  EXPECT_EQ(listed(" { \"items\" : [ 1 , \"two\" , null , true ] , \"a\" : 3 } "),
            R"(1;"two";null;true;{"a":3,"items":null})");
  EXPECT_EQ(listed(R"({"items":[]})"), R"({"items":null})");
  EXPECT_EQ(listed(R"({"items":null,"a":{"items":[1]}})"), R"({"a":{"items":[1]},"items":null})");
  EXPECT_EQ(listed(R"({"a":{"items":[1]},"items":[2]})"), R"(2;{"a":{"items":[1]},"items":null})");
  EXPECT_EQ(listed("{}"), "{}");
}

// A connection may end anywhere, and a proxy may answer anything.
TEST(ParseList, TruncatedAnywhereItIsInvalid) {
  const std::string whole = R"({"metadata":{"a":"\\\"b"},"items":[{"a":[1,"x"]},2.5],"z":{}})";
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(listed(whole.substr(0, length)), "invalid") << length;
  for (const char* bad : {"[]", "<html>", "{\"items\":[,]}", "{\"items\":[1 2]}", "{\"items\":[}]}", "{\"items\":[1]]",
                          "{\"a\"}", "{\"items\":[{]}"}) {
    EXPECT_EQ(listed(bad), "invalid") << bad;
  }
}

TEST(DropManagedFields, TruncatedAnywhereItDoesNoHarm) {
  const std::string whole = R"({"a":1,"managedFields":[{"f":"\"x]"}],"managedFields":[3],"b":"\\"})";
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    std::string text = whole.substr(0, length);
    dropManagedFields(text);
    EXPECT_LE(text.size(), length);
  }
}
