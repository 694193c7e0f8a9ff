// Label and field selectors as the API server reads them.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "kube/resource.h"

namespace godwit::standalone {

class Selector {
 public:
  // Labels: "a=b,c==d,e!=f,g,!h,i in (j,k),l notin (m),n>1,o<2". Fields: "metadata.name=a,status.phase!=Failed", of
  // the fields a kind supports. Empty texts match everything. Invalid names the part that cannot be read.
  static Result<Selector> parse(const kube::ResourceType& type, std::string_view labels, std::string_view fields);

  bool matches(const Json& object) const;
  bool everything() const { return labels_.empty() && fields_.empty(); }

 private:
  enum class Operator { Exists, Absent, In, NotIn, Greater, Less };
  struct Requirement {
    std::string key;
    Operator op;
    std::set<std::string> values;
    bool matches(const Json* labels) const;
  };
  struct Field {
    std::vector<std::string> path;
    std::string value;
    bool equal;
    bool matches(const Json& object) const;
  };
  static Result<Requirement> parseRequirement(std::string_view term);
  static Result<Field> parseField(const kube::ResourceType& type, std::string_view term);

  std::vector<Requirement> labels_;
  std::vector<Field> fields_;
};

}  // namespace godwit::standalone
