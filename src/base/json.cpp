#include "base/json.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace godwit {

// Brackets open at once at most, those within strings not counted. Of broken text any number: the parser refuses it.
static int depthOf(std::string_view text) {
  int depth = 0, most = 0;
  for (std::size_t at = 0; (at = text.find_first_of("\"[{]}", at)) != std::string_view::npos; ++at) {
    if (text[at] == '"') {
      for (++at; (at = text.find_first_of("\"\\", at)) != std::string_view::npos && text[at] != '"';) at += 2;
      if (at == std::string_view::npos) break;
    } else if (text[at] == '[' || text[at] == '{') {
      most = std::max(most, ++depth);
    } else {
      --depth;
    }
  }
  return most;
}

// The depth is looked at first: a parser that is watched while it builds the tree takes twice the time.
Result<Json> parseJson(std::string_view text) {
  constexpr std::size_t kLimit = 16 << 20;
  constexpr int kDepth = 200;
  if (text.size() > kLimit) return Error{Errc::Invalid, fmt::format("JSON larger than {} bytes", kLimit)};
  if (depthOf(text) > kDepth) return Error{Errc::Invalid, fmt::format("JSON nested deeper than {}", kDepth)};
  try {
    return Json::parse(text.begin(), text.end());
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

void mergePatch(Json& target, const Json& patch) {
  target.merge_patch(patch);
}

}  // namespace godwit
