#include "standalone/selector.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace godwit::standalone {

static std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// Commas inside parentheses belong to a set.
static std::vector<std::string_view> split(std::string_view s) {
  std::vector<std::string_view> out;
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= s.size(); ++i) {
    if (i < s.size() && s[i] == '(') ++depth;
    if (i < s.size() && s[i] == ')') --depth;
    if (i < s.size() && (s[i] != ',' || depth > 0)) continue;
    const auto term = trim(s.substr(start, i - start));
    if (!term.empty()) out.push_back(term);
    start = i + 1;
  }
  return out;
}

static bool isKey(std::string_view key) {
  const auto good = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/'; };
  return !key.empty() && key.size() <= 317 && std::all_of(key.begin(), key.end(), good);
}

static std::optional<std::int64_t> integer(std::string_view s) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  return error == std::errc() && end == s.data() + s.size() ? std::optional(value) : std::nullopt;
}

bool Selector::Requirement::matches(const Json* labels) const {
  const Json* at = labels ? find(*labels, key) : nullptr;
  const bool there = at && at->is_string();
  const std::string value = there ? at->get<std::string>() : std::string();
  switch (op) {
    case Operator::Exists:
      return there;
    case Operator::Absent:
      return !there;
    case Operator::In:
      return there && values.contains(value);
    case Operator::NotIn:
      return !there || !values.contains(value);
    case Operator::Greater:
    case Operator::Less:
      break;
  }
  const auto have = integer(value), bound = integer(*values.begin());
  if (!have || !bound) return false;
  return op == Operator::Greater ? *have > *bound : *have < *bound;
}

Result<Selector::Requirement> Selector::parseRequirement(std::string_view term) {
  const auto bad = [&](std::string_view why) {
    return Error{Errc::Invalid, fmt::format("labelSelector: unable to parse requirement \"{}\": {}", term, why)};
  };
  Requirement out;
  const auto finish = [&](std::string_view key, Operator op) -> Result<Requirement> {
    out.key = trim(key);
    out.op = op;
    if (!isKey(out.key)) return bad("not a label key");
    if ((op == Operator::Greater || op == Operator::Less) && !integer(*out.values.begin()))
      return bad("needs an integer");
    return out;
  };
  if (term.front() == '!') return finish(term.substr(1), Operator::Absent);
  if (const auto open = term.find('('); open != term.npos) {
    if (term.back() != ')') return bad("expected )");
    for (const auto value : split(term.substr(open + 1, term.size() - open - 2))) out.values.emplace(value);
    const auto head = trim(term.substr(0, open));
    if (head.ends_with(" notin")) return finish(head.substr(0, head.size() - 6), Operator::NotIn);
    if (head.ends_with(" in")) return finish(head.substr(0, head.size() - 3), Operator::In);
    return bad("expected in or notin before (");
  }
  const auto at = term.find_first_of("=!<>");
  if (at == term.npos) return finish(term, Operator::Exists);
  const auto rest = term.substr(at);
  const auto length = rest.starts_with("!=") || rest.starts_with("==") ? 2u : 1u;
  if (rest[0] == '!' && length == 1) return bad("expected != ");
  out.values.emplace(trim(rest.substr(length)));
  const auto op = rest[0] == '<'   ? Operator::Less
                  : rest[0] == '>' ? Operator::Greater
                  : rest[0] == '!' ? Operator::NotIn
                                   : Operator::In;
  return finish(term.substr(0, at), op);
}

// What the API server indexes for each kind; any other field is refused there too.
static bool supportsField(const kube::ResourceType& type, std::string_view field) {
  if (field == "metadata.name" || field == "metadata.namespace") return true;
  const auto is = [&](std::string_view kind) { return type.kind == kind; };
  if (is("Pod"))
    return field == "spec.nodeName" || field == "status.phase" || field == "spec.restartPolicy" ||
           field == "spec.serviceAccountName" || field == "status.podIP";
  if (is("Event"))
    return field.starts_with("involvedObject.") || field == "reason" || field == "type" || field == "source" ||
           field == "reportingComponent";
  if (is("Secret")) return field == "type";
  if (is("Namespace")) return field == "status.phase";
  if (is("Job")) return field == "status.successful";
  if (is("Node")) return field == "spec.unschedulable";
  return false;
}

Result<Selector::Field> Selector::parseField(const kube::ResourceType& type, std::string_view term) {
  const auto at = term.find_first_of("=!");
  if (at == term.npos || (term[at] == '!' && term.substr(at, 2) != "!=")) {
    return Error{Errc::Invalid, fmt::format("fieldSelector: \"{}\": write field=value or field!=value", term)};
  }
  const auto rest = term.substr(at);
  const auto name = trim(term.substr(0, at));
  if (!supportsField(type, name)) return Error{Errc::Invalid, fmt::format("field label not supported: {}", name)};
  Field out{
      {}, std::string(trim(rest.substr(rest.starts_with("!=") || rest.starts_with("==") ? 2 : 1))), rest[0] == '='};
  const std::string_view real = name == "status.successful" ? "status.succeeded" : name;
  for (std::size_t start = 0; start <= real.size();) {
    const auto end = std::min(real.find('.', start), real.size());
    out.path.emplace_back(real.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

bool Selector::Field::matches(const Json& object) const {
  const Json* at = &object;
  for (const auto& key : path) at = at ? find(*at, key) : nullptr;
  std::string have;
  if (at && at->is_string()) have = at->get<std::string>();
  if (at && (at->is_number() || at->is_boolean())) have = dumpJson(*at);
  return (have == value) == equal;
}

Result<Selector> Selector::parse(const kube::ResourceType& type, std::string_view labels, std::string_view fields) {
  Selector out;
  for (const auto term : split(labels)) {
    GODWIT_ASSIGN(auto requirement, parseRequirement(term));
    out.labels_.push_back(std::move(requirement));
  }
  for (const auto term : split(fields)) {
    GODWIT_ASSIGN(auto field, parseField(type, term));
    out.fields_.push_back(std::move(field));
  }
  return out;
}

bool Selector::matches(const Json& object) const {
  const Json* labels = find(object, "metadata", "labels");
  return std::all_of(labels_.begin(), labels_.end(), [&](const auto& r) { return r.matches(labels); }) &&
         std::all_of(fields_.begin(), fields_.end(), [&](const auto& f) { return f.matches(object); });
}

}  // namespace godwit::standalone
