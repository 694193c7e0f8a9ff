#include "kube/json_text.h"

#include <cstring>

namespace godwit::kube {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view kBlanks = " \t\r\n";

// Behind the string that begins at `at`; npos when it does not end.
std::size_t afterString(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    at = text.find_first_of("\"\\", at);
    if (at == npos || text[at] == '"') break;
    ++at;  // what is escaped
  }
  return at < text.size() ? at + 1 : npos;
}

// Behind the value that begins at `at`: brackets are counted, nothing else is checked.
std::size_t afterValue(std::string_view text, std::size_t at) {
  for (int depth = 0; at != npos && at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      at = afterString(text, at);
      if (depth == 0) return at;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']' || kBlanks.find(c) != npos))
      return at;  // behind a number or word
    depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
    ++at;
    if (depth == 0 && (c == '}' || c == ']')) return at;
  }
  return npos;
}

std::size_t skipBlanks(std::string_view text, std::size_t at) {
  return text.find_first_not_of(kBlanks, at);
}

Error malformed(const char* what) {
  return {Errc::Invalid, std::string("list: ") + what};
}

// From the '[' at `at`; returns where the array ends.
Result<std::size_t> eachElement(std::string_view text, std::size_t at, const std::function<void(Json)>& item) {
  at = skipBlanks(text, at + 1);
  while (at != npos && text[at] != ']') {
    const auto end = afterValue(text, at);
    if (end == npos || end == at) return malformed("\"items\" does not end");
    GODWIT_ASSIGN(auto value, parseJson(text.substr(at, end - at)));
    item(std::move(value));
    at = skipBlanks(text, end);
    if (at == npos || (text[at] != ',' && text[at] != ']')) return malformed("\"items\" is broken");
    if (text[at] == ',') at = skipBlanks(text, at + 1);
  }
  if (at == npos) return malformed("\"items\" does not end");
  return at + 1;
}

}  // namespace

// The key cannot be part of a string: the quotes of one inside a string are escaped.
void dropManagedFields(std::string& text) {
  constexpr std::string_view kKey = "\"managedFields\":[";
  std::size_t kept = text.find(kKey);
  for (std::size_t at = kept; at != npos && at < text.size();) {
    const auto end = afterValue(text, at + kKey.size() - 1);
    if (end == npos) break;
    std::size_t from = end;
    if (from < text.size() && text[from] == ',') {
      ++from;
    } else if (kept > 0 && text[kept - 1] == ',') {
      --kept;
    }
    auto next = text.find(kKey, from);
    const auto length = (next == npos ? text.size() : next) - from;
    std::memmove(text.data() + kept, text.data() + from, length);
    kept += length;
    at = next;
    if (next == npos) text.resize(kept);
  }
}

Result<Json> parseList(std::string_view text, const std::function<void(Json)>& item) {
  std::size_t at = skipBlanks(text, 0);
  if (at == npos || text[at] != '{') return malformed("not a JSON object");
  at = skipBlanks(text, at + 1);
  while (at != npos && text[at] == '"') {
    const auto keyEnd = afterString(text, at);
    const auto colon = keyEnd == npos ? npos : skipBlanks(text, keyEnd);
    const auto value = colon == npos || text[colon] != ':' ? npos : skipBlanks(text, colon + 1);
    if (value == npos) return malformed("a key without a value");
    if (text.substr(at, keyEnd - at) == "\"items\"" && text[value] == '[') {
      GODWIT_ASSIGN(const auto end, eachElement(text, value, item));
      return parseJson(std::string(text.substr(0, value)) + "null" + std::string(text.substr(end)));
    }
    at = afterValue(text, value);
    if (at != npos) at = skipBlanks(text, at);
    if (at != npos && text[at] == ',') at = skipBlanks(text, at + 1);
  }
  return parseJson(text);  // without items
}

}  // namespace godwit::kube
