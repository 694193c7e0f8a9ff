#include "standalone/protobuf_body.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "api/core.h"
#include "api/meta.h"
#include "base/utf8.h"
#include "standalone/field_table.h"

namespace godwit::standalone {

namespace {

enum Wire : std::uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// One field as it is on the wire: `value` of a varint, `bytes` of everything else.
struct Item {
  std::uint64_t number = 0, wire = 0, value = 0;
  std::string_view bytes;
};

Error malformed(std::string_view why) {
  return {Errc::Invalid, fmt::format("the body of the request cannot be read: protobuf: {}", why)};
}

class Reader {
 public:
  explicit Reader(std::string_view message) : left_(message) {}

  // The next field, or nothing at the end.
  Result<std::optional<Item>> next() {
    if (left_.empty()) return std::optional<Item>();
    GODWIT_ASSIGN(const auto tag, varint());
    Item item{tag >> 3, tag & 7, 0, {}};
    if (item.wire == kVarint) {
      GODWIT_ASSIGN(item.value, varint());
      return std::optional(item);
    }
    std::uint64_t size = item.wire == kFixed64 ? 8 : 4;
    if (item.wire == kBytes) {
      GODWIT_ASSIGN(size, varint());
    } else if (item.wire != kFixed64 && item.wire != kFixed32) {
      return malformed("unknown wire type");
    }
    if (size > left_.size()) return malformed("cut short");
    item.bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return std::optional(item);
  }

 private:
  Result<std::uint64_t> varint() {
    std::uint64_t out = 0;
    for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      out |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return out;
    }
    return malformed("cut short");
  }

  std::string_view left_;
};

// Whether a value says nothing: zero, empty, or a message of such. Go writes those where JSON would have no field.
bool isNothing(const Item& item, int depth = 0) {
  constexpr int kDeepest = 16;
  if (item.wire == kVarint) return item.value == 0;
  if (item.bytes.empty()) return true;
  if (item.wire != kBytes || depth > kDeepest) return false;
  for (Reader reader(item.bytes);;) {
    const auto inner = reader.next();
    if (!inner.ok() || (*inner && !isNothing(**inner, depth + 1))) return false;
    if (!*inner) return true;
  }
}

Result<Json> messageAs(std::string_view type, std::string_view message, const std::string& path);

Result<Json> textOf(const Item& item) {
  if (item.wire != kBytes || !isUtf8(item.bytes)) return malformed("not text in UTF-8");
  return Json(item.bytes);
}

// A message whose fields are few and always the same: by number, 1 to N.
template <std::size_t N>
Result<std::array<Item, N>> few(const Item& item) {
  if (item.wire != kBytes) return malformed("a number where a message belongs");
  std::array<Item, N> out;
  for (Reader reader(item.bytes);;) {
    GODWIT_ASSIGN(const auto inner, reader.next());
    if (!inner) return out;
    if (inner->number >= 1 && inner->number <= N) out[inner->number - 1] = *inner;
  }
}

Result<Json> quantityOf(const Item& item) {
  GODWIT_ASSIGN(const auto parts, few<1>(item));
  return Json(parts[0].bytes);
}

Result<Json> intOrStringOf(const Item& item) {
  GODWIT_ASSIGN(const auto parts, few<3>(item));
  if (parts[0].value != 0) return Json(parts[2].bytes);
  return Json(static_cast<std::int64_t>(parts[1].value));
}

// Go reads a microtime only with its six digits.
Result<Json> timeOf(const Item& item, bool micro) {
  constexpr std::int64_t kYear10000 = 253402300800;
  GODWIT_ASSIGN(const auto parts, few<2>(item));
  const auto seconds = static_cast<std::int64_t>(parts[0].value);
  if (seconds < 0 || seconds >= kYear10000) return malformed("a time outside of 1970 to 9999");
  auto out = api::formatTime(TimePoint(std::chrono::seconds(seconds)));
  if (micro) out.insert(out.size() - 1, fmt::format(".{:06}", parts[1].value / 1000 % 1000000));
  return Json(out);
}

// One entry of a map: {"key": value}.
Result<Json> entryOf(const std::string& type, const Item& item) {
  GODWIT_ASSIGN(const auto parts, few<2>(item));
  if (!isUtf8(parts[0].bytes)) return malformed("a key that is not text in UTF-8");
  Json out = Json::object();
  Json& value = out[std::string(parts[0].bytes)];
  if (type == "bytes") {
    value = api::base64Encode(parts[1].bytes);
  } else if (type == "quantities") {
    GODWIT_ASSIGN(value, quantityOf({2, kBytes, 0, parts[1].bytes}));
  } else {
    GODWIT_ASSIGN(value, textOf({2, kBytes, 0, parts[1].bytes}));
  }
  return out;
}

Result<Json> scalarOf(const std::string& type, const Item& item) {
  if (type == "str") return textOf(item);
  if (item.wire != kVarint) return malformed("text where a number belongs");
  if (type == "bool") return Json(item.value != 0);
  return Json(static_cast<std::int64_t>(item.value));
}

bool isTime(std::string_view type) {
  return type == "time" || type == "microtime";
}

bool isMap(std::string_view type) {
  return type == "map" || type == "bytes" || type == "quantities";
}

Result<Json> valueOf(const std::string& type, const Item& item, const std::string& path) {
  if (isMap(type)) return entryOf(type, item);
  if (type == "str" || type == "int" || type == "bool") return scalarOf(type, item);
  if (type == "quantity") return quantityOf(item);
  if (type == "intstr") return intOrStringOf(item);
  if (isTime(type)) return timeOf(item, type == "microtime");
  if (!fieldsOf(type)) return Error{Errc::Unsupported, fmt::format("{}: only JSON can carry this field here", path)};
  if (item.wire != kBytes) return malformed("a number where a message belongs");
  return messageAs(type, item.bytes, path);
}

Result<void> put(Json& object, const Field& field, const Item& item, const std::string& path) {
  const bool list = field.type.starts_with("[]");
  const bool scalar = field.type == "str" || field.type == "int" || field.type == "bool";
  const bool message = list || isMap(field.type) || fieldsOf(field.type);
  const bool omitted = scalar ? !field.keepsZero : !message;
  if (omitted && isNothing(item)) return {};
  GODWIT_ASSIGN(auto value, valueOf(list ? field.type.substr(2) : field.type, item, path));
  Json& at = object[field.name];
  if (list) {
    at.push_back(std::move(value));
  } else if (isMap(field.type)) {
    at.update(value);
  } else {
    at = std::move(value);
  }
  return {};
}

// `outer` 0: the message itself; else the embedded one of that number, whose fields appear as the message's own.
Result<void> readFields(Json& object, const Fields& fields, std::string_view message, std::uint64_t outer,
                        const std::string& path) {
  for (Reader reader(message);;) {
    GODWIT_ASSIGN(const auto item, reader.next());
    if (!item) return {};
    std::vector<std::uint64_t> number{item->number};
    if (outer != 0) number.insert(number.begin(), outer);
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.number == number; });
    const auto within = [&](const Field& f) { return f.number.size() == 2 && f.number[0] == item->number; };
    const bool embeds = outer == 0 && item->wire == kBytes && std::any_of(fields.begin(), fields.end(), within);
    if (field != fields.end()) {
      GODWIT_TRY(put(object, *field, *item, path.empty() ? field->name : path + "." + field->name));
    } else if (embeds) {
      GODWIT_TRY(readFields(object, fields, item->bytes, item->number, path));
    } else if (!isNothing(*item)) {
      return Error{Errc::Unsupported, fmt::format("{}: protobuf field {} is not known here; send JSON",
                                                  path.empty() ? "the object" : path, item->number)};
    }
  }
}

Result<Json> messageAs(std::string_view type, std::string_view message, const std::string& path) {
  Json out = Json::object();
  GODWIT_TRY(readFields(out, *fieldsOf(type), message, 0, path));
  return out;
}

// The table's fields of a kind, and what every kind has.
Result<Fields> fieldsOfKind(const std::string& kind) {
  const auto* own = fieldsOf(kind);
  if (!own) return Error{Errc::Unsupported, fmt::format("{}: this kind can only be sent as JSON", kind)};
  Fields out = *own;
  const bool numbered = std::any_of(out.begin(), out.end(), [](const Field& f) { return !f.number.empty(); });
  if (!numbered && kind != "SelfSubjectReview")
    return Error{Errc::Unsupported, fmt::format("{}: this kind can only be sent as JSON", kind)};
  if (kind != "DeleteOptions") out.push_back({"metadata", "Meta", false, {1}});
  return out;
}

}  // namespace

Result<Json> objectFromProtobuf(std::string_view body) {
  constexpr std::string_view kMagic("k8s\0", 4);
  if (!body.starts_with(kMagic)) return malformed("it does not begin with \"k8s\"");
  GODWIT_ASSIGN(const auto envelope, few<4>({0, kBytes, 0, body.substr(kMagic.size())}));
  GODWIT_ASSIGN(const auto type, few<2>({0, kBytes, 0, envelope[0].bytes}));
  if (!envelope[2].bytes.empty()) return Error{Errc::Unsupported, "protobuf: contentEncoding must be empty"};
  if (!isUtf8(type[0].bytes) || !isUtf8(type[1].bytes)) return malformed("apiVersion and kind must be text");
  const std::string kind(type[1].bytes);
  GODWIT_ASSIGN(const auto fields, fieldsOfKind(kind));
  Json out{{"apiVersion", type[0].bytes}, {"kind", kind}};
  GODWIT_TRY(readFields(out, fields, envelope[1].bytes, 0, ""));
  return out;
}

}  // namespace godwit::standalone
