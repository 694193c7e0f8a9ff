#include "standalone/rest_types.h"

#include <fmt/core.h>

namespace godwit::standalone {

std::string param(const http::Request& request, const std::string& name) {
  return request.param(name).value_or("");
}

bool flag(const http::Request& request, const std::string& name) {
  const auto value = param(request, name);
  return value == "true" || value == "1" || value == "True";
}

RestReply jsonReply(const Json& body, int status) {
  return {status, dumpJson(body) + "\n", "application/json", {}};
}

static std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> out;
  for (std::size_t start = 0; start < path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    if (end > start) out.emplace_back(path.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

RestTarget parseTarget(std::string_view path) {
  auto parts = segments(path);
  std::string group, version;
  if (parts.size() >= 3 && parts[0] == "api") {
    version = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  } else if (parts.size() >= 4 && parts[0] == "apis") {
    group = parts[1];
    version = parts[2];
    parts.erase(parts.begin(), parts.begin() + 3);
  } else {
    return {};
  }
  RestTarget out;
  const auto own = [](const std::string& s) { return s == "status" || s == "finalize"; };  // of the namespace itself
  if (parts[0] == "namespaces" && parts.size() > 2 && !own(parts[2])) {
    out.ns = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  const auto* type = kube::resources::byPlural(group, parts[0]);
  if (!type || type->version != version || parts.size() > 3 || (!out.ns.empty() && !type->namespaced)) return {};
  out.type = type;
  if (parts.size() > 1) out.name = parts[1];
  if (parts.size() > 2) out.subresource = parts[2];
  if (type->namespaced && out.ns.empty() && !out.name.empty()) return {};
  return out;
}

namespace {

struct Meaning {
  int code;
  const char* reason;
};

Meaning meaning(Errc code) {
  switch (code) {
    case Errc::Invalid:
      return {422, "Invalid"};
    case Errc::NotFound:
      return {404, "NotFound"};
    case Errc::AlreadyExists:
      return {409, "AlreadyExists"};
    case Errc::Conflict:
      return {409, "Conflict"};
    case Errc::Gone:
      return {410, "Expired"};
    case Errc::Forbidden:
      return {403, "Forbidden"};
    case Errc::Unauthorized:
      return {401, "Unauthorized"};
    case Errc::TooManyRequests:
      return {429, "TooManyRequests"};
    case Errc::Unsupported:
      return {415, "UnsupportedMediaType"};
    case Errc::Unavailable:
      return {503, "ServiceUnavailable"};
    case Errc::Timeout:
      return {504, "Timeout"};
    case Errc::Io:
    case Errc::Cancelled:
    case Errc::Internal:
      break;
  }
  return {500, "InternalError"};
}

const char* reasonOf(int code) {
  switch (code) {
    case 400:
      return "BadRequest";
    case 405:
      return "MethodNotAllowed";
    case 406:
      return "NotAcceptable";
    case 413:
      return "RequestEntityTooLarge";
    case 415:
      return "UnsupportedMediaType";
    default:
      return "Unknown";
  }
}

// kubectl prints the causes of an Invalid instead of its message.
Json causeOf(const std::string& message) {
  constexpr std::string_view kIs = " is invalid: ";
  const auto at = message.find(kIs);
  const std::string why = at == message.npos ? message : message.substr(at + kIs.size());
  const auto colon = why.find(": ");
  if (colon == why.npos || why.substr(0, colon).find(' ') != why.npos)
    return {{"reason", "FieldValueInvalid"}, {"message", why}};
  return {{"reason", "FieldValueInvalid"}, {"message", why.substr(colon + 2)}, {"field", why.substr(0, colon)}};
}

}  // namespace

Json statusOf(const Error& error, const RestTarget& target, int code) {
  const auto known = meaning(error.code);
  const bool asIs = code == 0 || code == known.code;
  Json out{{"kind", "Status"},
           {"apiVersion", "v1"},
           {"metadata", Json::object()},
           {"status", "Failure"},
           {"message", error.message},
           {"reason", asIs ? known.reason : reasonOf(code)},
           {"code", asIs ? known.code : code}};
  Json details = Json::object();
  const bool invalid = out["code"] == 422;
  if (target.type) {
    details["kind"] = invalid ? target.type->kind : target.type->plural;
    if (!target.type->group.empty()) details["group"] = target.type->group;
    if (!target.name.empty()) details["name"] = target.name;
  }
  if (invalid) details["causes"] = Json::array({causeOf(error.message)});
  if (!details.empty()) out["details"] = std::move(details);
  return out;
}

RestReply errorReply(const Error& error, const RestTarget& target, int code) {
  const auto status = statusOf(error, target, code);
  return jsonReply(status, static_cast<int>(number(500, status, "code")));
}

}  // namespace godwit::standalone
