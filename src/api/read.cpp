#include "api/read.h"

namespace godwit::api {

StringMap stringMap(const Json& object, const char* key) {
  StringMap map;
  const Json* at = find(object, key);
  if (!at || !at->is_object()) return map;
  for (const auto& [name, value] : at->items())
    if (value.is_string()) map.emplace(name, value.get<std::string>());
  return map;
}

std::vector<std::string> stringList(const Json& object, const char* key) {
  std::vector<std::string> list;
  const Json* at = find(object, key);
  if (!at || !at->is_array()) return list;
  for (const Json& value : *at)
    if (value.is_string()) list.push_back(value.get<std::string>());
  return list;
}

std::optional<TimePoint> timeAt(const Json& object, const char* key) {
  const auto parsed = parseTime(text(object, key));
  return parsed ? std::optional(*parsed) : std::nullopt;
}

std::string quantityAt(const Json& object, const char* key) {
  const Json* at = find(object, key);
  if (!at) return {};
  return at->is_number() ? dumpJson(*at) : at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace godwit::api
