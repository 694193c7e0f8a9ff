// Which columns a kind is printed with. One table, read by rest_table.cpp.
#pragma once
#include <vector>

#include "base/clock.h"
#include "kube/resource.h"

namespace godwit::standalone {

struct Column {
  std::string name;
  std::string type;    // OpenAPI: string, integer, boolean
  std::string format;  // "name" for the first column
  int priority = 0;    // 1: only with -o wide
  std::function<Json(const Json& object, TimePoint now)> cell;
};

// Never empty; for kinds without columns of their own: Name and Age.
const std::vector<Column>& columnsOf(const kube::ResourceType& type);

}  // namespace godwit::standalone
