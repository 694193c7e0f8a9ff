#include "api/yaml.h"

#include <gmock/gmock.h>

#include <random>

using namespace godwit;
using namespace godwit::api;
using testing::HasSubstr;

static Json one(std::string_view text) {
  const auto documents = parseYaml(text);
  if (!documents) return Json{{"error", documents.error().message}};
  return documents->size() == 1 ? documents->front() : Json(*documents);
}

TEST(Yaml, TheSeedsManifest) {
  EXPECT_EQ(one(R"(---
apiVersion: volsync.backube/v1alpha1
kind: ReplicationDestination
metadata:
  name: mydest
  namespace: myns
spec:
  rsync:
    copyMethod: Snapshot
    capacity: 10Gi
    accessModes: ["ReadWriteOnce"]
    storageClassName: my-sc   # a comment
    volumeSnapshotClassName: my-vsc
)"),
            Json::parse(R"({"apiVersion": "volsync.backube/v1alpha1", "kind": "ReplicationDestination",
    "metadata": {"name": "mydest", "namespace": "myns"}, "spec": {"rsync": {"copyMethod": "Snapshot", "capacity": "10Gi",
    "accessModes": ["ReadWriteOnce"], "storageClassName": "my-sc", "volumeSnapshotClassName": "my-vsc"}}})"));
}

TEST(Yaml, ScalarsAsKubectlReadsThem) {
  const std::pair<const char*, Json> known[] = {
      {"true", true},
      {"Yes", true},
      {"on", true},
      {"y", true},
      {"n", false},
      {"OFF", false},
      {"\"yes\"", "yes"},
      {"'1'", "1"},
      {"null", nullptr},
      {"~", nullptr},
      {"", nullptr},
      {"'null'", "null"},
      {"tRue", "tRue"},
      {"12", 12},
      {"-7", -7},
      {"+3", 3},
      {"0600", 384},
      {"0o600", 384},
      {"0x1F", 31},
      {"0b11", 3},
      {"1_000", 1000},
      {"08", 8},
      {"1.5", 1.5},
      {".5", 0.5},
      {"1e3", 1000},
      {"-1.5e-3", -0.0015},
      {"1.", 1},
      {"18446744073709551615", 18446744073709551615ull},
      {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
      {"1e999", "1e999"},
      {"1.2.3", "1.2.3"},
      {"10Gi", "10Gi"},
      {"2021-01-14", "2021-01-14"},
      {"12:30:45", "12:30:45"},
      {"1e", "1e"},
      {"-", Json::array({nullptr})},
      {"0x", "0x"},
      {"+", "+"},
      {".", "."},
      {"!!str 12", "12"},
      {"!!int 12", 12},
      {"!!binary Zm9v", "foo"},
      {"!!float 3", 3},
      {"*/5 * * * *", Json{{"error", ""}}},
  };
  for (const auto& [text, value] : known) {
    const auto parsed = one("k: " + std::string(text == std::string("-") ? "\n- " : text));
    if (value.is_object())
      EXPECT_TRUE(parsed.contains("error")) << text;
    else
      EXPECT_EQ(parsed, (Json{{"k", value}})) << text;
  }
}

TEST(Yaml, KeysAreText) {
  EXPECT_EQ(one("1: a\nyes: b\n0x10: c\n1.5: d\n'y': e"),
            (Json{{"1", "a"}, {"true", "b"}, {"16", "c"}, {"1.5", "d"}, {"y", "e"}}));
  EXPECT_THAT(one("~: a").dump(), HasSubstr("a key must be text"));
  EXPECT_THAT(one("? [a]\n: b").dump(), HasSubstr("a key must be text"));
}

TEST(Yaml, DocumentsAndLists) {
  EXPECT_EQ(parseYaml("")->size(), 0u);
  EXPECT_EQ(parseYaml("---\n---\n# only a comment\n")->size(), 0u);
  EXPECT_EQ(parseYaml("a: 1\n---\nb: 2\n---\n...\n")->size(), 2u);
  EXPECT_EQ(*parseYaml("kind: List\nitems:\n- kind: A\n- kind: B\n---\nkind: C"),
            (std::vector<Json>{{{"kind", "A"}}, {{"kind", "B"}}, {{"kind", "C"}}}));
  EXPECT_EQ(parseYaml("kind: List\n")->size(), 1u);
}

TEST(Yaml, JsonIsRead) {
  EXPECT_EQ(one(R"({"a": "\ud83d\udc26\/", "b": [1, true, null]})"),
            (Json{{"a", "\xf0\x9f\x90\xa6/"}, {"b", {1, true, nullptr}}}));
  EXPECT_EQ(parseYaml(R"({"kind": "List", "items": [{"a": 1}, {"b": 2}]})")->size(), 2u);
  EXPECT_THAT(one(R"({"a": 1, "a": 2})").dump(), HasSubstr("there twice"));
}

TEST(Yaml, AnchorsAndMerges) {
  EXPECT_EQ(
      one("a: &x {k: 1, l: 2}\nb: *x\nc:\n  <<: *x\n  k: 3\nd:\n  <<: [*x, {m: 4}]"),
      Json::parse(
          R"({"a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 2}, "c": {"k": 3, "l": 2}, "d": {"k": 1, "l": 2, "m": 4}})"));
  EXPECT_EQ(one("a: &x 1\nb: *x"), (Json{{"a", 1}, {"b", 1}}));
  EXPECT_THAT(one("a: &x [*x]").dump(), HasSubstr("what contains it"));
  EXPECT_THAT(one("a: *none").dump(), HasSubstr("line 1, column 4"));
  EXPECT_THAT(one("a:\n  <<: 3").dump(), HasSubstr("<<: expected a map"));
}

TEST(Yaml, ABombOfAliasesIsRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{}: &a{} [", i, i);
    for (int k = 0; k < 10; ++k) bomb += fmt::format("*a{},", i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(one(bomb).dump(), HasSubstr("anchors and aliases"));
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 1000; ++i) deep += fmt::format("a{}: &a{} [*a{}]\n", i, i, i - 1);
  EXPECT_THAT(one(deep).dump(), HasSubstr("nested deeper"));
}

TEST(Yaml, ErrorsNameLineAndColumn) {
  EXPECT_THAT(one("a: 1\nb: [1\n").dump(), HasSubstr("line "));
  EXPECT_THAT(one("a: 1\n  b: 2\n").dump(), HasSubstr("line 2, column"));
  EXPECT_THAT(one("a:\n  b: 1\n  b: 2\n").dump(), HasSubstr("line 3, column 3: the key \\\"b\\\" is there twice"));
  EXPECT_THAT(one(", a").dump(), HasSubstr("line 1, column 1: neither a value"));
  EXPECT_THAT(one("a: 1\n---\n] b").dump(), HasSubstr("line 3, column 1"));
  EXPECT_THAT(one("a: .inf").dump(), HasSubstr("line 1, column 4: infinity"));
  EXPECT_THAT(one("a: !!int x").dump(), HasSubstr("does not fit its tag"));
  EXPECT_THAT(one("a: !!binary '?'").dump(), HasSubstr("base64"));
  EXPECT_THAT(one("a: \xff").dump(), HasSubstr("UTF-8"));
  EXPECT_THAT(one(std::string("a: \0", 4)).dump(), HasSubstr("UTF-8"));
  EXPECT_THAT(one(std::string(10000, '[')).dump(), HasSubstr("error"));
  EXPECT_THAT(one(std::string(300, '[') + std::string(300, ']')).dump(), HasSubstr("nested deeper"));
  EXPECT_THAT(one(std::string((16 << 20) + 1, ' ')).dump(), HasSubstr("larger than"));
}

TEST(Yaml, PrintsAsPeopleWrite) {
  const Json object = Json::parse(R"({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a", "labels": {}},
    "alist": ["x", 1, "1", "yes", {"b": 1, "a": [true]}, [1, 2], []], "pem": "-----BEGIN\nabc\n", "two": "a\n\n b",
    "odd": "a\n\n", "text": "a: b", "n": null, "t": "10Gi", "cron": "*/5 * * * *", "path": "/x"})");
  EXPECT_EQ(toYaml(object), R"(apiVersion: v1
kind: Secret
metadata:
  labels: {}
  name: a
alist:
- x
- 1
- "1"
- "yes"
- a:
  - true
  b: 1
- - 1
  - 2
- []
cron: "*/5 * * * *"
"n": null
odd: "a\n\n"
path: /x
pem: |
  -----BEGIN
  abc
t: 10Gi
text: "a: b"
two: |-
  a

   b
)");
  EXPECT_EQ(one(toYaml(object)), object);
  EXPECT_EQ(toYaml("x"), "x\n");
  EXPECT_EQ(toYaml(Json::object()), "{}\n");
}

// Random JSON whose texts are made of what YAML finds special.
static Json randomJson(std::mt19937_64& random, int depth) {
  static const std::vector<std::string> kPieces = {
      "a",   " ",   "\n", ":", "- ", "#",  "'",  "\"",       "\\",           "yes",  "0",
      "1e3", "~",   "{",  "}", "[",  "]",  ",",  "&a",       "*a",           "!",    "|",
      ">",   "%",   "@",  "`", "?",  "\t", "\r", "\xc3\xa9", "\xe2\x80\xa8", "\x7f", "\x01",
      "---", "...", "<<", "="};
  const auto word = [&] {
    std::string out;
    for (auto n = random() % 5; n > 0; --n) out += kPieces[random() % kPieces.size()];
    return random() % 200 == 0 ? out + std::string(1500, 'k') : out;
  };
  switch (random() % (depth > 0 ? 8 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return static_cast<std::int64_t>(random());
    case 2:
      return random() % 2 == 0;
    case 3:
      return static_cast<double>(static_cast<std::int64_t>(random() % 100000) - 50000) / 64.0;
    case 4:
    case 5:
      return word();
    case 6: {
      Json list = Json::array();
      for (auto n = random() % 4; n > 0; --n) list.push_back(randomJson(random, depth - 1));
      return list;
    }
    default: {
      Json map = Json::object();
      for (auto n = random() % 4; n > 0; --n) map[word()] = randomJson(random, depth - 1);
      return map;
    }
  }
}

TEST(Yaml, WhatIsPrintedIsReadBackTheSame) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 4000; ++i) {
    const Json value = {{"v", randomJson(random, 4)}};
    ASSERT_EQ(one(toYaml(value)), value) << toYaml(value);
  }
}
