// Tolerant reads that api's views share: what is missing or of a wrong type is skipped, never an error.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"

namespace godwit::api {

// Calls `each` for every object in the array at `key`.
template <class Each>
void forEach(const Json& object, const char* key, Each each) {
  const Json* list = find(object, key);
  if (!list || !list->is_array()) return;
  for (const Json& item : *list)
    if (item.is_object()) each(item);
}

StringMap stringMap(const Json& object, const char* key);
std::vector<std::string> stringList(const Json& object, const char* key);
std::optional<TimePoint> timeAt(const Json& object, const char* key);
std::string quantityAt(const Json& object, const char* key);  // quantities may be written as numbers

}  // namespace godwit::api
