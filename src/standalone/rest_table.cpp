#include "standalone/rest_table.h"

#include "standalone/rest_columns.h"

namespace godwit::standalone {

static Json definitions(const std::vector<Column>& columns) {
  Json out = Json::array();
  for (const auto& column : columns) {
    out.push_back({{"name", column.name},
                   {"type", column.type},
                   {"format", column.format},
                   {"description", ""},
                   {"priority", column.priority}});
  }
  return out;
}

static Json rowObject(const Json& item, IncludeObject include) {
  if (include == IncludeObject::Object) return item;
  return {{"kind", "PartialObjectMetadata"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", item.value("metadata", Json::object())}};
}

Json table(const kube::ResourceType& type, const std::vector<Json>& items, Json listMeta, IncludeObject include,
           TimePoint now) {
  const auto& columns = columnsOf(type);
  Json rows = Json::array();
  for (const auto& item : items) {
    Json cells = Json::array();
    for (const auto& column : columns) cells.push_back(column.cell(item, now));
    Json row = {{"cells", std::move(cells)}};
    if (include != IncludeObject::None) row["object"] = rowObject(item, include);
    rows.push_back(std::move(row));
  }
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", std::move(listMeta)},
          {"columnDefinitions", definitions(columns)},
          {"rows", std::move(rows)}};
}

}  // namespace godwit::standalone
