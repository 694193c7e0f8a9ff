// What the parts of the REST face share: replies, targets, errors as metav1.Status.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "http/server.h"
#include "kube/api.h"

namespace godwit::standalone {

// A query parameter; empty when absent.
std::string param(const http::Request& request, const std::string& name);
bool flag(const http::Request& request, const std::string& name);  // "true" or "1"

struct RestReply {
  int status = 200;
  std::string body;
  std::string contentType = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
};

struct RestAnswer {
  RestReply reply;  // without its body when it is the beginning of a stream
  // A watch, or a log that is followed: writes until it ends or the client goes. Empty: the reply is all.
  std::function<void(http::ResponseWriter&)> stream;

  RestAnswer(RestReply r) : reply(std::move(r)) {}
  RestAnswer(RestReply r, std::function<void(http::ResponseWriter&)> s) : reply(std::move(r)), stream(std::move(s)) {}
};

RestReply jsonReply(const Json& body, int status = 200);

// What a path names. No type: nothing that this server serves.
struct RestTarget {
  const kube::ResourceType* type = nullptr;
  std::string ns, name, subresource;
};
RestTarget parseTarget(std::string_view path);

// metav1.Status for an error. `code` 0: by error.code.
Json statusOf(const Error& error, const RestTarget& target = {}, int code = 0);
RestReply errorReply(const Error& error, const RestTarget& target = {}, int code = 0);

}  // namespace godwit::standalone
