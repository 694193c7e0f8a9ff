#include "api/schema.h"

#include <gmock/gmock.h>

#include "api/crd.h"

using namespace godwit;
using namespace godwit::api;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

static Json schemaOf(Role role) {
  return crd(role)["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
}

// "path: message" of the only error; all of them joined when there are more.
static std::string problem(const char* schema, const Json& value) {
  std::string all;
  for (const auto& error : validateSchema(Json::parse(schema), value))
    all += (all.empty() ? "" : " | ") + error.field + ": " + error.message;
  return all;
}

TEST(Schema, EveryKeywordIsEnforced) {
  EXPECT_EQ(problem(R"({"type": "string"})", "x"), "");
  EXPECT_EQ(problem(R"({"type": "string"})", 3), ": expected string, found a whole number");
  EXPECT_EQ(problem(R"({"type": "integer"})", 3.0), "");
  EXPECT_EQ(problem(R"({"type": "integer"})", 3.5), ": expected integer, found a number");
  EXPECT_EQ(problem(R"({"type": "boolean"})", "true"), ": expected boolean, found text");
  EXPECT_EQ(problem(R"({"type": "array"})", Json::object()), ": expected array, found an object");
  EXPECT_EQ(problem(R"({"type": "object"})", nullptr), ": expected object, found null");
  EXPECT_EQ(problem(R"({"type": "object", "nullable": true})", nullptr), "");
  EXPECT_EQ(problem(R"({"enum": ["A", "B"]})", "C"), ": \"C\" is not supported: use one of A, B");
  EXPECT_EQ(problem(R"({"type": "integer", "minimum": 0, "maximum": 9})", -1), ": -1 is less than 0");
  EXPECT_EQ(problem(R"({"type": "integer", "minimum": 0, "maximum": 9})", 10), ": 10 is more than 9");
  EXPECT_EQ(problem(R"({"type": "integer", "format": "int32"})", 1ll << 31), ": 2147483648 does not fit in 32 bits");
  EXPECT_EQ(problem(R"({"type": "string", "minLength": 1})", ""), ": shorter than 1 characters");
  EXPECT_EQ(problem(R"({"type": "string", "maxLength": 1})", "\xc3\xa9"), "");
  EXPECT_EQ(problem(R"({"type": "string", "maxLength": 1})", "ab"), ": longer than 1 characters");
  EXPECT_EQ(problem(R"({"type": "string", "pattern": "^a+$"})", "aab"), ": \"aab\" does not match ^a+$");
  EXPECT_THAT(problem(R"({"type": "string", "pattern": "^a+$"})", std::string(100000, 'a')), HasSubstr("longer than"));
  EXPECT_EQ(problem(R"({"type": "string", "pattern": "("})", "aab"), "");
  EXPECT_THAT(problem(R"({"type": "string", "format": "date-time"})", "now"), HasSubstr("not a time"));
  EXPECT_EQ(problem(R"({"type": "array", "minItems": 1})", Json::array()), ": needs at least 1 items");
  EXPECT_EQ(problem(R"({"type": "array", "maxItems": 1})", Json{1, 2}), ": has more than 1 items");
  EXPECT_EQ(problem(R"({"x-kubernetes-int-or-string": true})", 3), "");
  EXPECT_EQ(problem(R"({"x-kubernetes-int-or-string": true})", true),
            ": expected whole number or string, found a boolean");
  EXPECT_EQ(problem(R"({"type": "object", "required": ["a"]})", Json::object()), "a: missing: this field is required");
}

TEST(Schema, PathsLeadToTheValue) {
  const char* schema = R"({"type": "object", "properties": {"list": {"type": "array", "items": {"type": "object",
      "properties": {"n": {"type": "integer"}}}}}, "additionalProperties": {"type": "string"}})";
  EXPECT_EQ(problem(schema, Json::parse(R"({"list": [{"n": 1}, {"n": "x"}], "other": 3})")),
            "list[1].n: expected integer, found text | other: expected string, found a whole number");
}

TEST(Schema, AHostileSchemaIsHarmless) {
  for (const char* schema :
       {"3", "null", "[]", R"({"type": 3, "enum": 3, "required": [3], "properties": 3, "items": 3})",
        R"({"minimum": "x", "properties": {"a": 3}, "additionalProperties": 3, "minLength": 1e300})"}) {
    Json value = {{"a", {1, "x"}}, {"b", nullptr}};
    validateSchema(Json::parse(schema), value);
    applyDefaults(Json::parse(schema), value);
    prune(Json::parse(schema), value);
  }
}

TEST(Schema, PruneTellsWhatItRemoved) {
  Json object = Json::parse(R"({"apiVersion": "v", "kind": "k", "metadata": {"name": "n", "odd": 1}, "extra": 1,
      "spec": {"rsync": {"copyMethd": "Clone", "copyMethod": "Clone", "moverPodLabels": {"any": "x"},
      "moverResources": {"claims": [{"name": "c"}]}}, "restic": {"what": {"ever": 1}}, "foo": {}},
      "status": {"conditions": [{"type": "a", "odd": 1}]}})");
  EXPECT_THAT(prune(schemaOf(Role::Source), object),
              ElementsAre("extra", "spec.foo", "spec.rsync.copyMethd", "status.conditions[0].odd"));
  EXPECT_TRUE(object["metadata"].contains("odd"));
  EXPECT_TRUE(object["spec"]["rsync"]["moverPodLabels"].contains("any"));
  EXPECT_TRUE(object["spec"]["rsync"]["moverResources"].contains("claims"));
  EXPECT_TRUE(object["spec"]["restic"]["what"].contains("ever"));
  EXPECT_THAT(prune(schemaOf(Role::Source), object), IsEmpty());
}

TEST(Schema, DefaultsFillWhatIsAbsentOrNull) {
  const Json schema = Json::parse(R"({"type": "object", "properties": {"a": {"default": 1}, "b": {"default": 2},
      "c": {"default": 3, "nullable": true}, "d": {"default": {}, "type": "object", "properties": {"e": {"default": 5}}},
      "l": {"items": {"properties": {"f": {"default": 6}}}}}})");
  Json value = Json::parse(R"({"a": 9, "b": null, "c": null, "l": [{}]})");
  applyDefaults(schema, value);
  EXPECT_EQ(value, Json::parse(R"({"a": 9, "b": 2, "c": null, "d": {"e": 5}, "l": [{"f": 6}]})"));
}

TEST(Schema, TheTwoResources) {
  const auto problems = [](Role role, const char* spec) {
    std::string all;
    for (const auto& error : validateSchema(schemaOf(role), Json{{"spec", Json::parse(spec)}}))
      all += error.field + " ";
    return all;
  };
  EXPECT_EQ(problems(Role::Source,
                     R"({"sourcePVC": "a", "trigger": {}, "rsync": {"capacity": 3, "port": 0, "serviceType": "Any"}})"),
            "");
  EXPECT_EQ(problems(Role::Source, R"({"trigger": {"schedule": "CRON_TZ=UTC @daily", "manual": ""}, "rsync": {}})"),
            "");
  EXPECT_EQ(problems(Role::Source, R"({"rsync": {"capacity": "lots"}})"), "spec.rsync.capacity ");
  EXPECT_EQ(problems(Role::Source, R"({"rsync": {"copyMethod": "Copy"}})"), "spec.rsync.copyMethod ");
  EXPECT_EQ(problems(Role::Source, R"({"rsync": {"port": 70000, "accessModes": []}})"),
            "spec.rsync.accessModes spec.rsync.port ");
  EXPECT_EQ(problems(Role::Source, R"({"trigger": {"schedule": ""}, "paused": "yes"})"),
            "spec.paused spec.trigger.schedule ");
  EXPECT_EQ(problems(Role::Destination, R"({"rsync": {"serviceAnnotations": {"a": 1}}})"),
            "spec.rsync.serviceAnnotations.a ");
  EXPECT_EQ(problems(Role::Destination, R"({"restic": {"x": 1}, "external": {"parameters": {"a": "b"}}})"), "");
}
