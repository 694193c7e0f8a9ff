// The table of fields: what both resources hold, said once. The CRDs are made from it.
#pragma once
#include <vector>

#include "api/replication.h"

namespace godwit::api {

enum class FieldType {
  Object,  // has members of its own further down the table
  Opaque,  // an object kept as it is, whatever it holds
  Text,
  Choice,   // text, one of `choices`
  Pattern,  // text that matches `choices`
  Bool,
  Port,      // 0 to 65535
  Quantity,  // text or whole number
  Time,
  AccessModes,  // list of texts, at least one
  TextMap,
  QuantityMap,
  Conditions,
  ObjectReference,  // core/v1 TypedLocalObjectReference
};

enum class Side { Source, Destination, Both };

struct FieldRow {
  Side side;
  const char* path;  // "spec.rsync.copyMethod"; its parent stands above it
  FieldType type;
  const char* description;
  const char* choices = "";  // Choice: "A|B"; Pattern: a regular expression
};

const std::vector<FieldRow>& fieldTable();
bool appliesTo(const FieldRow& row, Role role);

}  // namespace godwit::api
