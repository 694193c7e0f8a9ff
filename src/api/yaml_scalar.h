// What an unquoted YAML scalar means to kubectl: YAML 1.1 booleans, Go's integers, plain floats; the rest is text.
#pragma once
#include <string>
#include <string_view>

#include "base/json.h"

namespace godwit::api {

// null, boolean, number or text. A float that JSON cannot hold (.inf, .nan) comes back as such: see
// Json::is_number_float.
Json resolvePlainScalar(std::string_view text);

}  // namespace godwit::api
