// JSON to block-style YAML, as people write it.
#include "api/yaml.h"
#include "api/yaml_scalar.h"

namespace godwit::api {

namespace {

constexpr std::size_t kLongestSimpleKey = 1000;  // readers need not look further ahead than 1024 for the colon

bool isWord(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Text that any YAML reader takes for the same text without quotes. Errs on the side of quotes.
bool isPlain(std::string_view text) {
  if (text.empty() || text.size() > kLongestSimpleKey || text == "<<" || text.starts_with("...")) return false;
  if (!isWord(text[0]) && std::string_view("/._").find(text[0]) == std::string_view::npos) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool last = i + 1 == text.size();
    if (text[i] == ':' && (last || text[i + 1] == ' ')) return false;
    if (text[i] == ' ' && last) return false;
    if (!isWord(text[i]) && std::string_view("/._-+:@,=()*~%^ ").find(text[i]) == std::string_view::npos) return false;
  }
  return resolvePlainScalar(text).is_string();
}

// Text over several lines that a literal block holds unchanged: nothing a reader would strip, fold or escape.
bool isBlock(std::string_view text) {
  if (text.find('\n') == text.npos || text[0] == '\n' || text[0] == ' ' || text.ends_with("\n\n")) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool endsLine = i + 1 == text.size() || text[i + 1] == '\n';
    if (text[i] == ' ' && endsLine) return false;
    if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~')) return false;
  }
  return true;
}

class Emitter {
 public:
  std::string out;

  void document(const Json& value) {
    if (value.is_structured() && !value.empty()) return members(value, 0);
    scalar(value);
    out += '\n';
  }

 private:
  void scalar(const Json& value) {
    const bool plain = value.is_string() && isPlain(value.get_ref<const std::string&>());
    out += plain ? value.get<std::string>() : dumpJson(value);
  }

  void members(const Json& value, std::size_t indent) {
    if (value.is_array()) return items(value, indent);
    static constexpr const char* kFirst[] = {"apiVersion", "kind", "metadata", "spec", "status"};
    for (const char* key : kFirst)
      if (value.contains(key)) member(key, value[key], indent);
    for (const auto& [key, inner] : value.items())
      if (std::find(std::begin(kFirst), std::end(kFirst), key) == std::end(kFirst)) member(key, inner, indent);
  }

  void member(const std::string& key, const Json& value, std::size_t indent) {
    pad(indent);
    if (key.size() > kLongestSimpleKey) {
      out += "? " + dumpJson(key) + "\n";
      pad(indent);
    } else {
      scalar(key);
    }
    out += ':';
    // Lists stand at their key's own column, as kubectl prints them.
    inner(value, indent + (value.is_array() ? 0 : 2), indent + 2);
  }

  void items(const Json& list, std::size_t indent) {
    for (const Json& item : list) {
      pad(indent);
      out += '-';
      if (!item.is_structured() || item.empty()) {
        inner(item, indent + 2, indent + 2);
        continue;
      }
      const auto start = out.size();  // the first member shares the dash's line
      members(item, indent + 2);
      out.replace(start, indent + 2, " ");
    }
  }

  // What follows "key:" or "-".
  void inner(const Json& value, std::size_t indent, std::size_t blockIndent) {
    if (value.is_structured() && !value.empty()) {
      out += '\n';
      return members(value, indent);
    }
    out += ' ';
    if (value.is_string() && isBlock(value.get_ref<const std::string&>()))
      return block(value.get<std::string>(), blockIndent);
    scalar(value);
    out += '\n';
  }

  void block(std::string text, std::size_t indent) {
    out += text.ends_with('\n') ? "|\n" : "|-\n";
    if (text.ends_with('\n')) text.pop_back();
    for (std::size_t from = 0; from <= text.size();) {
      const auto to = std::min(text.find('\n', from), text.size());
      if (to > from) pad(indent);
      out += text.substr(from, to - from) + "\n";
      from = to + 1;
    }
  }

  void pad(std::size_t indent) { out.append(indent, ' '); }
};

}  // namespace

std::string toYaml(const Json& value) {
  Emitter emitter;
  emitter.document(value);
  return std::move(emitter.out);
}

}  // namespace godwit::api
