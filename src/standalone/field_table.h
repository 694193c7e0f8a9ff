// The fields of the built-in kinds: names, types, and numbers in protobuf. One compact table for all that must know
// them.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::standalone {

// Types: str int bool quantity time microtime intstr any, map (of str), bytes (map of base64), quantities (map of
// quantity),
// []T, or another name of the table. `any` keeps whatever it is given.
struct Field {
  std::string name, type;
  bool keepsZero;                     // "int?": zero is not the same as absent
  std::vector<std::uint64_t> number;  // in protobuf; two for a field of an embedded message; none: not read from there
};
using Fields = std::vector<Field>;

// Null for a type that the table does not have. A kind's apiVersion, kind and metadata (protobuf: 1) go without saying.
const Fields* fieldsOf(std::string_view type);

}  // namespace godwit::standalone
