#include "standalone/strategic_merge.h"

#include <gtest/gtest.h>

using namespace godwit;
using standalone::strategicMerge;

static Json merged(const char* target, const char* patch) {
  auto result = strategicMerge(Json::parse(target), Json::parse(patch));
  return result ? *result : Json(result.error().message);
}

TEST(StrategicMerge, ListsOfObjectsMergeByTheirKey) {
  EXPECT_EQ(merged(R"({"containers":[{"name":"a","image":"1"},{"name":"b"}]})",
                   R"({"containers":[{"name":"a","image":"2"},{"name":"c"}]})"),
            Json::parse(R"({"containers":[{"name":"a","image":"2"},{"name":"b"},{"name":"c"}]})"));
}

TEST(StrategicMerge, ElementsAreDeletedByDirective) {
  EXPECT_EQ(merged(R"({"volumes":[{"name":"a"},{"name":"b"}]})", R"({"volumes":[{"name":"a","$patch":"delete"}]})"),
            Json::parse(R"({"volumes":[{"name":"b"}]})"));
}

TEST(StrategicMerge, OrderFollowsSetElementOrder) {
  EXPECT_EQ(merged(R"({"env":[{"name":"a"},{"name":"b"}]})",
                   R"({"$setElementOrder/env":[{"name":"c"},{"name":"b"},{"name":"a"}],"env":[{"name":"c"}]})"),
            Json::parse(R"({"env":[{"name":"c"},{"name":"b"},{"name":"a"}]})"));
}

TEST(StrategicMerge, ServicePortsAndContainerPortsHaveDifferentKeys) {
  EXPECT_EQ(merged(R"({"ports":[{"port":22,"name":"ssh"}]})", R"({"ports":[{"port":22,"targetPort":8022}]})"),
            Json::parse(R"({"ports":[{"port":22,"name":"ssh","targetPort":8022}]})"));
  EXPECT_EQ(merged(R"({"ports":[{"containerPort":1}]})", R"({"ports":[{"containerPort":2}]})"),
            Json::parse(R"({"ports":[{"containerPort":1},{"containerPort":2}]})"));
}

TEST(StrategicMerge, OtherListsAreReplaced) {
  EXPECT_EQ(merged(R"({"accessModes":["A","B"]})", R"({"accessModes":["C"]})"),
            Json::parse(R"({"accessModes":["C"]})"));
}

TEST(StrategicMerge, FinalizersAreASet) {
  EXPECT_EQ(
      merged(R"({"finalizers":["a","b"]})", R"({"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["b","c"]})"),
      Json::parse(R"({"finalizers":["b","c"]})"));
}

TEST(StrategicMerge, NullsReplaceAndRetainKeys) {
  EXPECT_EQ(merged(R"({"a":1,"b":{"c":1}})", R"({"a":null,"b":{"$patch":"replace","d":2}})"),
            Json::parse(R"({"b":{"d":2}})"));
  EXPECT_EQ(merged(R"({"s":{"a":1,"b":2}})", R"({"s":{"$retainKeys":["b"],"b":3}})"), Json::parse(R"({"s":{"b":3}})"));
}

TEST(StrategicMerge, BadPatchesAreRefusedByName) {
  EXPECT_EQ(merged(R"({})", R"({"containers":[{"image":"x"}]})"),
            Json("containers: an element of the patch has no merge key \"name\""));
  EXPECT_EQ(merged(R"({})", R"({"s":{"$patch":"burn"}})"), Json("unknown patch directive \"$patch: burn\""));
  EXPECT_EQ(merged(R"({})", R"({"$deleteFromPrimitiveList/finalizers":"a"})"),
            Json("$deleteFromPrimitiveList/finalizers: must be a list"));
  EXPECT_EQ(merged(R"({})", R"({"$burn":1})"), Json("$burn: unknown patch directive"));
}
