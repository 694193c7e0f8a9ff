#include "api/yaml.h"
#include "fuzz/fuzz.h"

using namespace godwit;

// What is printed must be read back as the same. Empty documents and lists are not: the reader leaves out and unpacks
// them.
static void roundTrip(const Json& document) {
  if (document.is_null() || text(document, "kind") == "List") return;
  const auto again = api::parseYaml(api::toYaml(document));
  fuzz::require(again.ok() && again->size() == 1 && again->front() == document, "toYaml changes the document");
}

GODWIT_FUZZ_TARGET(
    yaml, "apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {\"x/y\": 'z'}}\ndata:\n  k: Zm9v\n",
    "a: &x [1, 2.5, 0x10, yes, ~]\nb: *x\nc:\n  <<: {d: e}\n  f: |\n    text\n     more\n",
    "---\n- !!str 12\n- \"q\\u00e9\\n\"\n- >-\n  folded\n  text\n...\n---\nkind: List\nitems:\n- {a: b}\n",
    "{\"a\": [true, null, -1e3, \"\\ud83d\\udc26\"], \"b\": {\"c\": \"d\"}}", "? k\n: v # c\n") {
  const auto documents = api::parseYaml(input);
  if (!documents) return fuzz::require(!documents.error().message.empty(), "a refusal without a message");
  for (const Json& document : *documents) roundTrip(document);
}
