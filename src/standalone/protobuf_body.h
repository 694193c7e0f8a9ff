// Bodies as generated Kubernetes clients send them (kubectl does since 1.32): protobuf in, JSON out.
#pragma once
#include <string_view>

#include "base/json.h"

namespace godwit::standalone {

inline constexpr std::string_view kProtobuf = "application/vnd.kubernetes.protobuf";

// The object in Kubernetes' envelope, with apiVersion and kind. Invalid for malformed bytes; Unsupported for a kind or
// a field that has no number in the table of fields: nothing is left out silently.
Result<Json> objectFromProtobuf(std::string_view body);

}  // namespace godwit::standalone
