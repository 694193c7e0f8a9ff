// JSON as everyone here uses it, and reads from untrusted documents that never throw.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit {

using Json = nlohmann::json;

// The value at a path of object keys ("metadata", "labels", ...), or nullptr.
template <class... Keys>
const Json* find(const Json& root, const Keys&... keys) {
  const Json* at = &root;
  auto descend = [&](const auto& key) {
    if (!at || !at->is_object()) return void(at = nullptr);
    const auto it = at->find(key);
    at = it == at->end() ? nullptr : &*it;
  };
  (descend(keys), ...);
  return at;
}

// Text at a path; empty when absent or not a string.
template <class... Keys>
std::string text(const Json& root, const Keys&... keys) {
  const Json* at = find(root, keys...);
  return at && at->is_string() ? at->get<std::string>() : std::string();
}

// A number without a fraction that fits; nullopt for anything else (an unchecked cast of 1e300 is undefined).
std::optional<std::int64_t> wholeNumber(const Json& value);

// Whole number at a path; `otherwise` when absent or not one.
template <class... Keys>
std::int64_t number(std::int64_t otherwise, const Json& root, const Keys&... keys) {
  const Json* at = find(root, keys...);
  return at ? wholeNumber(*at).value_or(otherwise) : otherwise;
}

template <class... Keys>
bool truth(const Json& root, const Keys&... keys) {
  const Json* at = find(root, keys...);
  return at && at->is_boolean() && at->get<bool>();
}

// Parses text from outside; depth and size are bounded. Invalid with the byte position otherwise.
Result<Json> parseJson(std::string_view text);

// Compact text; bytes that are not UTF-8 become U+FFFD instead of an exception.
std::string dumpJson(const Json& value, int indent = -1);

// RFC 7386: null removes, objects merge, everything else replaces.
void mergePatch(Json& target, const Json& patch);

}  // namespace godwit
