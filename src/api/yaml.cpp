#include "api/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <set>
#include <sstream>

#include "api/core.h"
#include "api/yaml_scalar.h"
#include "base/utf8.h"

namespace godwit::api {

namespace {

constexpr std::size_t kLargestText = 16 << 20;
constexpr std::size_t kDeepest = 200;
constexpr std::size_t kAliasBudget =
    4 << 20;  // bytes and nodes that anchors and aliases may copy: a bomb of aliases ends here

struct Size {
  std::size_t weight = 1;  // nodes and bytes of text
  std::size_t depth = 1;
};

Size sizeOf(const Json& value) {
  Size size;
  if (value.is_string()) size.weight += value.get_ref<const std::string&>().size();
  if (!value.is_structured()) return size;
  for (const auto& [key, child] : value.items()) {
    const Size inner = sizeOf(child);
    size.weight += inner.weight + (value.is_object() ? key.size() : 0);
    size.depth = std::max(size.depth, inner.depth + 1);
  }
  return size;
}

// Builds JSON from yaml-cpp's events. Errors leave as YAML::ParserException, yaml-cpp's own way to carry line and
// column, and are caught in parseYaml.
class Builder final : public YAML::EventHandler {
 public:
  std::vector<Json> documents;

  void OnDocumentStart(const YAML::Mark& mark) override {
    // At a stray ',' or ']' yaml-cpp reports one empty document after the other and never moves on.
    if (mark.pos == start_) fail(mark, "neither a value nor the start of a document: remove it, or put it in quotes");
    start_ = mark.pos;
    frames_.clear();
    anchors_.clear();
    document_ = nullptr;
  }
  void OnDocumentEnd() override {
    if (!document_.is_null()) documents.push_back(std::move(document_));
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, nullptr); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark, "an alias to what contains it");
    spend(mark, found->second);
    add(mark, 0, found->second);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag == "?" && value == "<<" && expectsKey()) return void(frames_.back().merge = true);
    add(mark, anchor, scalar(mark, tag, value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, Json::array());
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, Json::object());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    YAML::Mark mark;
    YAML::anchor_t anchor;
    Json value;
    std::optional<std::string> key;  // of the map entry whose value comes next
    bool merge = false;              // that entry is `<<`
    Json merged = Json::object();    // what `<<` brought: explicit keys win over it
  };

  [[noreturn]] static void fail(const YAML::Mark& mark, const std::string& why) {
    throw YAML::ParserException(mark, why);
  }

  bool expectsKey() const {
    return !frames_.empty() && frames_.back().value.is_object() && !frames_.back().key && !frames_.back().merge;
  }

  static Json scalar(const YAML::Mark& mark, const std::string& tag, const std::string& value) {
    const std::string kPrefix = "tag:yaml.org,2002:";
    if (tag == "!" || tag == kPrefix + "str") return value;
    if (tag == "?" || tag.empty()) return resolvePlainScalar(value);
    if (tag == kPrefix + "binary") {
      auto bytes = base64Decode(value);
      if (!bytes || !isUtf8(*bytes)) fail(mark, "!!binary: expected base64 of UTF-8 text");
      return *std::move(bytes);
    }
    const Json resolved = resolvePlainScalar(value);
    const bool fits = (tag == kPrefix + "int" && resolved.is_number_integer()) ||
                      (tag == kPrefix + "float" && resolved.is_number()) ||
                      (tag == kPrefix + "bool" && resolved.is_boolean()) ||
                      (tag == kPrefix + "null" && resolved.is_null());
    if (!fits) fail(mark, fmt::format("\"{}\" does not fit its tag {}: remove the tag", value, tag));
    return resolved;
  }

  static std::string keyOf(const YAML::Mark& mark, const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_null() || value.is_structured()) fail(mark, "a key must be text: put it in quotes");
    return dumpJson(value);
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, Json value) {
    if (value.is_number_float() && !std::isfinite(value.get<double>()))
      fail(mark, "infinity and NaN do not exist in JSON: write a number, or quote it");
    if (anchor) {
      spend(mark, value);
      anchors_[anchor] = value;
    }
    if (frames_.empty()) return void(document_ = std::move(value));
    Frame& frame = frames_.back();
    if (frame.value.is_array()) return frame.value.push_back(std::move(value));
    if (frame.merge) return merge(mark, frame, value);
    if (frame.key) return put(frame, std::move(value));
    frame.key = keyOf(mark, value);
    if (frame.value.contains(*frame.key))
      fail(mark, fmt::format("the key \"{}\" is there twice: remove one", *frame.key));
  }

  static void put(Frame& frame, Json value) {
    frame.value[*frame.key] = std::move(value);
    frame.key.reset();
  }

  static void merge(const YAML::Mark& mark, Frame& frame, const Json& value) {
    frame.merge = false;
    const auto mergeOne = [&](const Json& map) {
      if (!map.is_object()) fail(mark, "<<: expected a map or a list of maps");
      for (const auto& [key, inner] : map.items())
        if (!frame.merged.contains(key)) frame.merged[key] = inner;
    };
    if (!value.is_array()) return mergeOne(value);
    for (const Json& map : value) mergeOne(map);
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Json empty) {
    if (frames_.size() >= kDeepest) fail(mark, fmt::format("nested deeper than {}", kDeepest));
    frames_.push_back({mark, anchor, std::move(empty)});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    for (auto& [key, value] : frame.merged.items())
      if (!frame.value.contains(key)) frame.value[key] = std::move(value);
    add(frame.mark, frame.anchor, std::move(frame.value));
  }

  void spend(const YAML::Mark& mark, const Json& value) {
    const Size size = sizeOf(value);
    spent_ += size.weight;
    if (spent_ > kAliasBudget) fail(mark, "anchors and aliases that expand to more than 4 MiB: write the parts out");
    if (frames_.size() + size.depth > kDeepest) fail(mark, fmt::format("nested deeper than {}", kDeepest));
  }

  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Json> anchors_;
  Json document_;
  std::size_t spent_ = 0;
  int start_ = -1;  // of the document, in bytes
};

void unpack(Json document, std::vector<Json>& out) {
  const Json* items = text(document, "kind") == "List" ? find(document, "items") : nullptr;
  if (!items || !items->is_array()) return out.push_back(std::move(document));
  for (const Json& item : *items) out.push_back(item);
}

Result<std::vector<Json>> parseDocuments(std::string_view text) {
  Builder builder;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    return Error{Errc::Invalid, fmt::format("line {}, column {}: {}", e.mark.line + 1, e.mark.column + 1, e.msg)};
  } catch (const std::exception& e) {
    return Error{Errc::Invalid, fmt::format("not YAML: {}", e.what())};
  }
  return std::move(builder.documents);
}

// A document that is JSON is read as JSON: its \u escapes (surrogate pairs) are not YAML's. Not taken: anything else,
// and what names a key twice, which the YAML reader then refuses with its place.
std::optional<Json> parseAsJson(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos || text[start] != '{') return std::nullopt;
  std::vector<std::set<std::string>> keys;
  bool twice = false;
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::key) twice = !keys.back().insert(value.get<std::string>()).second || twice;
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    return true;
  };
  if (!parseJson(text)) return std::nullopt;  // bounds the depth
  auto value = Json::parse(text.begin(), text.end(), watch, false);
  return twice || value.is_discarded() ? std::nullopt : std::optional(std::move(value));
}

}  // namespace

Result<std::vector<Json>> parseYaml(std::string_view text) {
  if (text.size() > kLargestText) return Error{Errc::Invalid, fmt::format("YAML larger than {} bytes", kLargestText)};
  if (!isUtf8(text) || text.find('\0') != text.npos) return Error{Errc::Invalid, "YAML must be UTF-8 text"};
  std::vector<Json> unpacked;
  if (auto json = parseAsJson(text)) {
    unpack(*std::move(json), unpacked);
    return unpacked;
  }
  GODWIT_ASSIGN(auto documents, parseDocuments(text));
  for (Json& document : documents) unpack(std::move(document), unpacked);
  return unpacked;
}

}  // namespace godwit::api
