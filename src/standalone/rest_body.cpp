#include "standalone/rest_body.h"

#include <fmt/core.h>

#include <algorithm>

#include "standalone/field_schema.h"
#include "standalone/protobuf_body.h"

namespace godwit::standalone {

namespace {

std::string squeezed(std::string_view s) {
  std::string out;
  for (const char c : s) {
    if (c != ' ') out += c;
  }
  return out;
}

IncludeObject includeOf(const http::Request& request) {
  const auto wanted = param(request, "includeObject");
  return wanted == "None" ? IncludeObject::None : wanted == "Object" ? IncludeObject::Object : IncludeObject::Metadata;
}

}  // namespace

Result<View> viewOf(const http::Request& request) {
  const auto accept = squeezed(request.header("accept"));
  if (accept.empty()) return View{};
  for (std::size_t start = 0; start < accept.size();) {
    const auto end = std::min(accept.find(',', start), accept.size());
    const auto range = std::string_view(accept).substr(start, end - start);
    start = end + 1;
    const auto media = range.substr(0, range.find(';'));
    if (media != "application/json" && media != "*/*" && media != "application/*") continue;
    const auto as = range.find(";as=");
    if (as == range.npos) return View{};
    if (range.find(";as=Table") != range.npos && range.find("g=meta.k8s.io") != range.npos)
      return View{true, includeOf(request)};
  }
  return Error{
      Errc::Unsupported,
      "only the following media types are accepted: application/json, application/json;as=Table;g=meta.k8s.io;v=v1"};
}

static std::string mediaOf(const http::Request& request) {
  const auto type = squeezed(request.header("content-type"));
  return type.substr(0, type.find(';'));
}

bool isSupportedBody(const http::Request& request) {
  const auto media = mediaOf(request);
  return media.empty() || media == kProtobuf || media == "application/json" || media == "application/json-patch+json" ||
         media == "application/merge-patch+json" || media == "application/strategic-merge-patch+json";
}

bool isCustom(const kube::ResourceType& type) {
  return type.group == api::kGroup || type.group == "snapshot.storage.k8s.io";
}

Result<Json> bodyOf(const http::Request& request) {
  if (!isSupportedBody(request)) {
    return Error{
        Errc::Unsupported,
        fmt::format(
            "the body of the request was in an unknown format ({}) - accepted media types include: application/json, "
            "{}",
            request.header("content-type"), kProtobuf)};
  }
  if (request.body.empty() && request.method == "DELETE") return Json(Json::object());
  if (mediaOf(request) == kProtobuf) return objectFromProtobuf(request.body);
  auto parsed = parseJson(request.body);
  if (!parsed.ok()) return Error{Errc::Invalid, "the body of the request cannot be read: " + parsed.error().message};
  return parsed;
}

Result<Store::Commit> commitOf(const http::Request& request) {
  const auto wanted = param(request, "dryRun");
  if (wanted.empty()) return Store::Commit::Write;
  if (wanted == "All") return Store::Commit::DryRun;
  return Error{Errc::Invalid, fmt::format("dryRun: Unsupported value: \"{}\": supported values: \"All\"", wanted)};
}

Result<std::vector<std::string>> screenFields(const http::Request& request, const kube::ResourceType& type,
                                              Json& object) {
  const auto wish = param(request, "fieldValidation");
  if (!wish.empty() && wish != "Strict" && wish != "Warn" && wish != "Ignore") {
    return Error{
        Errc::Invalid,
        fmt::format("fieldValidation: Unsupported value: \"{}\": supported values: \"Ignore\", \"Strict\", \"Warn\"",
                    wish)};
  }
  auto unknown = pruneUnknown(type, object);
  if (wish == "Ignore") unknown.clear();
  if (wish != "Strict" || unknown.empty()) return unknown;
  std::string all;
  for (const auto& each : unknown) all += (all.empty() ? "" : ", ") + each;
  return Error{Errc::Invalid, "strict decoding error: " + all};
}

void addWarnings(RestReply& reply, const std::vector<std::string>& warnings) {
  for (const auto& warning : warnings) {
    std::string quotedText;
    for (const char c : warning) {
      if (c == '"' || c == '\\') quotedText += '\\';
      if (static_cast<unsigned char>(c) >= 0x20) quotedText += c;
    }
    reply.headers.emplace_back("Warning", fmt::format("299 - \"{}\"", quotedText));
  }
}

RestReply shown(const RestContext& context, const Json& object, int status) {
  const auto view = viewOf(context.request);
  if (!view.ok()) return errorReply(view.error(), context.target, 406);
  if (!view->table) return jsonReply(object, status);
  const Json meta{{"resourceVersion", text(object, "metadata", "resourceVersion")}};
  return jsonReply(table(*context.target.type, {object}, meta, view->include, context.clock.now()), status);
}

}  // namespace godwit::standalone
