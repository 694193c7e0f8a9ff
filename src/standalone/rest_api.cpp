#include "standalone/rest_api.h"

#include <fmt/core.h>
#include <openssl/crypto.h>

#include "standalone/openapi.h"
#include "standalone/rest_discovery.h"
#include "standalone/rest_verbs.h"

namespace godwit::standalone {

RestApi::RestApi(Store& store, const Clock& clock, RestOptions options)
    : store_(store), clock_(clock), options_(std::move(options)) {}

bool RestApi::authorized(const http::Request& head) const {
  if (options_.token.empty()) return true;
  constexpr std::string_view kBearer = "Bearer ";
  const auto header = head.header("authorization");
  if (!header.starts_with(kBearer)) return false;
  const auto given = std::string_view(header).substr(kBearer.size());
  return given.size() == options_.token.size() && CRYPTO_memcmp(given.data(), options_.token.data(), given.size()) == 0;
}

void RestApi::serve(const http::Request& request, http::ResponseWriter& out) {
  const auto answered = answer(request);
  http::Headers headers{{"Content-Type", answered.reply.contentType}, {"Cache-Control", "no-cache, private"}};
  for (const auto& [name, value] : answered.reply.headers) headers.emplace(name, value);
  if (!answered.stream) return out.send(answered.reply.status, headers, answered.reply.body);
  if (out.startStream(answered.reply.status, headers)) answered.stream(out);
}

// Whether the server lives may be asked by anybody.
static bool isPublic(const std::string& path) {
  return path == "/healthz" || path == "/livez" || path == "/readyz" || path == "/version";
}

RestAnswer RestApi::answer(const http::Request& request) {
  if (!isPublic(request.path) && !authorized(request)) return errorReply({Errc::Unauthorized, "Unauthorized"});
  return route(request);
}

static RestAnswer onCollection(const RestContext& c) {
  const auto& method = c.request.method;
  if (method == "GET") return flag(c.request, "watch") ? watchMany(c) : RestAnswer(readMany(c));
  if (method == "POST") return createOne(c);
  if (method == "DELETE") return removeMany(c);
  return errorReply({Errc::Unsupported, "the server does not allow this method on the requested resource"}, c.target,
                    405);
}

static RestAnswer onObject(const RestContext& c) {
  const auto& method = c.request.method;
  if (method == "GET" && flag(c.request, "watch")) return watchMany(c);
  if (method == "GET") return readOne(c);
  if (method == "PUT") return replaceOne(c);
  if (method == "PATCH") return patchOne(c);
  if (method == "DELETE") return removeOne(c);
  return errorReply({Errc::Unsupported, "the server does not allow this method on the requested resource"}, c.target,
                    405);
}

// OpenAPI: v3 as JSON, and as much of v2 as older clients cannot do without.
static std::optional<RestReply> describeItself(const http::Request& request) {
  constexpr std::string_view kRoot = "/openapi/v3";
  if (request.path == "/openapi/v2") {
    constexpr const char* kAs = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    return RestReply{200, openapiV2(), kAs, {}};
  }
  if (request.path == kRoot || request.path == "/openapi/v3/") return jsonReply(openapiIndex());
  if (!request.path.starts_with("/openapi/v3/")) return std::nullopt;
  const auto document = openapiDocument(std::string_view(request.path).substr(kRoot.size() + 1));
  return document.ok() ? jsonReply(*document) : errorReply(document.error());
}

RestAnswer RestApi::route(const http::Request& request) {
  if (request.method == "GET" || request.method == "HEAD") {
    if (auto found = discover(request)) return std::move(*found);
    if (auto found = describeItself(request)) return std::move(*found);
  }
  if (request.method == "POST" && request.path.find("/selfsubject") != std::string::npos) return review(request);
  const RestContext c{store_, clock_, request, parseTarget(request.path)};
  const auto& sub = c.target.subresource;
  const bool status = sub == "status" && c.target.type && c.target.type->status;
  if (c.target.type && c.target.name.empty()) return onCollection(c);
  if (c.target.type && (sub.empty() || (status && request.method != "DELETE"))) return onObject(c);
  if (c.target.type && sub == "log" && c.target.type->kind == "Pod" && request.method == "GET") return readLog(c);
  return errorReply({Errc::NotFound, "the server could not find the requested resource"});
}

}  // namespace godwit::standalone
