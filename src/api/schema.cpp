#include "api/schema.h"

#include <limits>
#include <regex>

namespace godwit::api {

namespace {

constexpr std::size_t kLongestMatched = 1024;  // std::regex recurses once a character

std::string memberPath(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}
std::string itemPath(const std::string& path, std::size_t i) {
  return fmt::format("{}[{}]", path, i);
}

// The schema of member `key`, or nullptr when the schema does not speak of it.
const Json* memberSchema(const Json& schema, const std::string& key) {
  if (const Json* known = find(schema, "properties", key)) return known;
  const Json* additional = find(schema, "additionalProperties");
  return additional && additional->is_object() ? additional : nullptr;
}

const Json* itemSchema(const Json& schema) {
  const Json* items = find(schema, "items");
  return items && items->is_object() ? items : nullptr;
}

const char* typeName(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_string()) return "text";
  if (value.is_boolean()) return "a boolean";
  if (value.is_number()) return wholeNumber(value) ? "a whole number" : "a number";
  return value.is_array() ? "a list" : "an object";
}

bool hasType(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "number") return value.is_number();
  if (type == "integer") return wholeNumber(value).has_value();
  return true;
}

bool matches(const std::string& pattern, const std::string& text) {
  try {
    return std::regex_search(text, std::regex(pattern, std::regex::ECMAScript));
  } catch (const std::regex_error&) {
    return true;  // the pattern is wrong, not the value
  }
}

class Validator {
 public:
  std::vector<FieldError> errors;

  void check(const Json& schema, const Json& value, const std::string& path) {
    if (!schema.is_object()) return;
    if (value.is_null() && truth(schema, "nullable")) return;
    if (!checkType(schema, value, path)) return;
    checkEnum(schema, value, path);
    if (value.is_string()) checkText(schema, value.get_ref<const std::string&>(), path);
    if (value.is_number()) checkNumber(schema, value, path);
    if (value.is_array()) checkArray(schema, value, path);
    if (value.is_object()) checkObject(schema, value, path);
  }

 private:
  void fail(const std::string& path, std::string message) { errors.push_back({path, std::move(message)}); }

  bool checkType(const Json& schema, const Json& value, const std::string& path) {
    const bool intOrString = truth(schema, "x-kubernetes-int-or-string");
    const auto type = intOrString ? std::string("whole number or string") : text(schema, "type");
    const bool fits = intOrString ? value.is_string() || wholeNumber(value) : hasType(value, type);
    if (fits && !(value.is_null() && !type.empty())) return true;
    if (type.empty()) return true;  // anything goes
    fail(path, fmt::format("expected {}, found {}", type, typeName(value)));
    return false;
  }

  void checkEnum(const Json& schema, const Json& value, const std::string& path) {
    const Json* allowed = find(schema, "enum");
    if (!allowed || !allowed->is_array() || std::find(allowed->begin(), allowed->end(), value) != allowed->end())
      return;
    std::string list;
    for (const Json& one : *allowed)
      list += (list.empty() ? "" : ", ") + (one.is_string() ? one.get<std::string>() : dumpJson(one));
    fail(path, fmt::format("{} is not supported: use one of {}", dumpJson(value), list));
  }

  void checkText(const Json& schema, const std::string& text, const std::string& path) {
    std::int64_t characters = 0;
    for (const char c : text) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (const auto least = number(0, schema, "minLength"); characters < least)
      fail(path, fmt::format("shorter than {} characters", least));
    if (const auto most = number(characters, schema, "maxLength"); characters > most)
      fail(path, fmt::format("longer than {} characters", most));
    if (godwit::text(schema, "format") == "date-time" && !parseTime(text)) fail(path, parseTime(text).error().message);
    const auto pattern = godwit::text(schema, "pattern");
    if (pattern.empty()) return;
    if (text.size() > kLongestMatched)
      fail(path, fmt::format("longer than {} bytes", kLongestMatched));
    else if (!matches(pattern, text))
      fail(path, fmt::format("{} does not match {}", dumpJson(text), pattern));
  }

  void checkNumber(const Json& schema, const Json& value, const std::string& path) {
    const bool int32 = text(schema, "format") == "int32";
    const Json *least = find(schema, "minimum"), *most = find(schema, "maximum");
    if (least && least->is_number() && value < *least)
      fail(path, fmt::format("{} is less than {}", dumpJson(value), dumpJson(*least)));
    if (most && most->is_number() && value > *most)
      fail(path, fmt::format("{} is more than {}", dumpJson(value), dumpJson(*most)));
    if (int32 && (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max()))
      fail(path, fmt::format("{} does not fit in 32 bits", dumpJson(value)));
  }

  void checkArray(const Json& schema, const Json& value, const std::string& path) {
    const auto size = static_cast<std::int64_t>(value.size());
    if (const auto least = number(0, schema, "minItems"); size < least)
      fail(path, fmt::format("needs at least {} items", least));
    if (const auto most = number(size, schema, "maxItems"); size > most)
      fail(path, fmt::format("has more than {} items", most));
    const Json* items = itemSchema(schema);
    for (std::size_t i = 0; items && i < value.size(); ++i) check(*items, value[i], itemPath(path, i));
  }

  void checkObject(const Json& schema, const Json& value, const std::string& path) {
    if (const Json* required = find(schema, "required"); required && required->is_array())
      for (const Json& key : *required)
        if (key.is_string() && !value.contains(key.get<std::string>()))
          fail(memberPath(path, key.get<std::string>()), "missing: this field is required");
    for (const auto& [key, member] : value.items())
      if (const Json* inner = memberSchema(schema, key)) check(*inner, member, memberPath(path, key));
  }
};

bool keepsUnknown(const Json& schema) {
  const Json* additional = find(schema, "additionalProperties");
  const bool any = additional && (additional->is_object() || truth(schema, "additionalProperties"));
  return any || truth(schema, "x-kubernetes-preserve-unknown-fields");
}

bool isObjectMeta(const std::string& key) {
  return key == "apiVersion" || key == "kind" || key == "metadata";
}

void pruneAt(const Json& schema, Json& value, const std::string& path, std::vector<std::string>& removed) {
  if (value.is_array()) {
    const Json* items = itemSchema(schema);
    for (std::size_t i = 0; items && i < value.size(); ++i) pruneAt(*items, value[i], itemPath(path, i), removed);
    return;
  }
  if (!value.is_object()) return;
  for (auto member = value.begin(); member != value.end();) {
    const auto at = memberPath(path, member.key());
    const Json* inner = memberSchema(schema, member.key());
    const bool root = path.empty() && isObjectMeta(member.key());
    if (inner && !root) pruneAt(*inner, *member, at, removed);
    if (inner || root || keepsUnknown(schema)) {
      ++member;
      continue;
    }
    removed.push_back(at);
    member = value.erase(member);
  }
}

void applyMemberDefaults(const Json& schema, Json& value) {
  const Json* properties = find(schema, "properties");
  if (!properties || !properties->is_object()) return;
  for (const auto& [key, inner] : properties->items()) {
    const Json* preset = find(inner, "default");
    if (!preset) continue;
    const auto present = value.find(key);
    const bool missing = present == value.end() || (present->is_null() && !truth(inner, "nullable"));
    if (missing) value[key] = *preset;
  }
}

}  // namespace

std::vector<FieldError> validateSchema(const Json& schema, const Json& value) {
  Validator validator;
  validator.check(schema, value, "");
  return std::move(validator.errors);
}

std::vector<std::string> prune(const Json& schema, Json& value) {
  std::vector<std::string> removed;
  pruneAt(schema, value, "", removed);
  return removed;
}

void applyDefaults(const Json& schema, Json& value) {
  if (value.is_array()) {
    const Json* items = itemSchema(schema);
    for (std::size_t i = 0; items && i < value.size(); ++i) applyDefaults(*items, value[i]);
    return;
  }
  if (!value.is_object()) return;
  applyMemberDefaults(schema, value);
  for (const auto& [key, member] : value.items())
    if (const Json* inner = memberSchema(schema, key)) applyDefaults(*inner, member);
}

}  // namespace godwit::api
