#include "base/json.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

namespace godwit {

Result<Json> parseJson(std::string_view text) {
  constexpr std::size_t kLimit = 16 << 20;
  constexpr int kDepth = 200;
  if (text.size() > kLimit) return Error{Errc::Invalid, fmt::format("JSON larger than {} bytes", kLimit)};
  bool deep = false;
  const auto limit = [&deep](int depth, Json::parse_event_t, Json&) {
    deep = deep || depth > kDepth;
    return !deep;
  };
  try {
    auto value = Json::parse(text.begin(), text.end(), limit);
    if (deep) return Error{Errc::Invalid, fmt::format("JSON nested deeper than {}", kDepth)};
    return value;
  } catch (const Json::exception& e) {
    return Error{Errc::Invalid, e.what()};
  }
}

std::optional<std::int64_t> wholeNumber(const Json& value) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  if (value.is_number_unsigned()) {
    const auto n = value.get<std::uint64_t>();
    return n <= std::uint64_t{kMax} ? std::optional<std::int64_t>(static_cast<std::int64_t>(n)) : std::nullopt;
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double d = value.get<double>();
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  if (!(d >= -kLimit && d < kLimit) || d != std::floor(d)) return std::nullopt;
  return static_cast<std::int64_t>(d);
}

std::string dumpJson(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

void mergePatch(Json& target, const Json& patch) { target.merge_patch(patch); }

}  // namespace godwit
