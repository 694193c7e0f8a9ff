#include "api/strict.h"

#include "api/quantity.h"

namespace godwit::api {

const Json* Fields::present(const char* key) const {
  const Json* value = find(*object_, key);
  return value && !value->is_null() ? value : nullptr;
}

void Fields::fail(const std::string& path, const std::string& why) const {
  if (!*error_) *error_ = Error{Errc::Invalid, path + ": " + why};
}

std::optional<std::string> Fields::text(const char* key) const {
  const Json* value = present(key);
  if (value && value->is_string()) return value->get<std::string>();
  if (value) fail(pathOf(key), "expected text (put it in quotes)");
  return std::nullopt;
}

std::optional<std::string> Fields::quantity(const char* key) const {
  const Json* value = present(key);
  return value && value->is_number() ? std::optional(dumpJson(*value)) : text(key);
}

std::optional<std::int64_t> Fields::integer(const char* key) const {
  const Json* value = present(key);
  if (!value) return std::nullopt;
  const auto number = wholeNumber(*value);
  if (!number) fail(pathOf(key), "expected a whole number (without quotes)");
  return number;
}

bool Fields::flag(const char* key) const {
  const Json* value = present(key);
  if (value && !value->is_boolean()) fail(pathOf(key), "expected true or false (without quotes)");
  return value && value->is_boolean() && value->get<bool>();
}

std::optional<TimePoint> Fields::time(const char* key) const {
  const auto written = text(key);
  if (!written) return std::nullopt;
  const auto parsed = parseTime(*written);
  if (parsed) return *parsed;
  fail(pathOf(key), parsed.error().message);
  return std::nullopt;
}

std::optional<Duration> Fields::duration(const char* key) const {
  const auto written = text(key);
  if (!written) return std::nullopt;
  const auto parsed = parseDuration(*written);
  if (parsed) return *parsed;
  fail(pathOf(key), parsed.error().message);
  return std::nullopt;
}

std::vector<std::string> Fields::textList(const char* key) const {
  std::vector<std::string> list;
  const Json* value = present(key);
  if (!value) return list;
  if (!value->is_array()) fail(pathOf(key), "expected a list of texts");
  if (!value->is_array()) return list;
  for (std::size_t i = 0; i < value->size(); ++i) {
    const Json& item = (*value)[i];
    if (item.is_string())
      list.push_back(item.get<std::string>());
    else
      fail(fmt::format("{}[{}]", pathOf(key), i), "expected text (put it in quotes)");
  }
  return list;
}

std::optional<StringMap> Fields::textMap(const char* key) const {
  const auto members = object(key);
  if (!members) return std::nullopt;
  StringMap map;
  for (const auto& [name, value] : members->json().items()) {
    if (value.is_string())
      map.emplace(name, value.get<std::string>());
    else
      fail(pathOf(key) + "." + name, "expected text (put it in quotes)");
  }
  return map;
}

std::optional<Fields> Fields::object(const char* key) const {
  const Json* value = present(key);
  if (value && value->is_object()) return Fields(*value, pathOf(key), *error_);
  if (value) fail(pathOf(key), "expected an object");
  return std::nullopt;
}

std::vector<Fields> Fields::objectList(const char* key) const {
  std::vector<Fields> list;
  const Json* value = present(key);
  if (!value) return list;
  if (!value->is_array()) fail(pathOf(key), "expected a list of objects");
  if (!value->is_array()) return list;
  for (std::size_t i = 0; i < value->size(); ++i) {
    const auto path = fmt::format("{}[{}]", pathOf(key), i);
    if ((*value)[i].is_object())
      list.emplace_back((*value)[i], path, *error_);
    else
      fail(path, "expected an object");
  }
  return list;
}

}  // namespace godwit::api
