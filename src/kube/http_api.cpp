#include "kube/http_api.h"

#include "base/fd.h"
#include "base/log.h"
#include "kube/json_text.h"

namespace godwit::kube {

namespace {

constexpr std::chrono::seconds kShortPause(1), kLongestPause(10);
// Whether a replica still leads is looked at before a write is asked for (LeadingApi); one that waits for long could be
// made after another replica has taken over. Leaders step down 5 s before others may.
constexpr Duration kWritesPatience = std::chrono::seconds(2);
// Servers send a bookmark every minute or so: one that says nothing for this long may have gone without a word, and a
// new connection costs less than a cache that stands still.
constexpr Duration kLongestSilence = std::chrono::minutes(10);
constexpr Duration kTokenAge = std::chrono::seconds(30);  // kubelets renew long before a token runs out
constexpr Duration kRecovery = std::chrono::seconds(15);  // after an outage, before a refusal is believed

class Query {
 public:
  Query& add(const char* name, const std::string& value) {
    if (!value.empty()) text_ += (text_.empty() ? "?" : "&") + std::string(name) + "=" + http::encodeComponent(value);
    return *this;
  }
  const std::string& str() const { return text_; }

 private:
  std::string text_;
};

std::string pathOf(const ResourceType& type, const NamespacedName& key, Subresource subresource = Subresource::None) {
  return type.path(http::encodeComponent(key.ns)) + "/" + http::encodeComponent(key.name) +
         (subresource == Subresource::Status ? "/status" : "");
}

std::string nameOf(const ResourceType& type, Subresource subresource = Subresource::None) {
  return std::string(type.plural) + (subresource == Subresource::Status ? "/status" : "");
}

// Lists leave apiVersion and kind out of their items; readers of single items want them.
void complete(Json& object, const ResourceType& type) {
  if (!object.is_object()) return;
  if (!object.contains("apiVersion")) object["apiVersion"] = type.apiVersion();
  if (!object.contains("kind")) object["kind"] = type.kind;
}

constexpr const char* kUnknownKind = "the server does not know this kind of object";

// Which kind it is that the server does not know.
Error named(Error error, const ResourceType& type) {
  if (error.code != Errc::Unsupported || error.message != kUnknownKind) return error;
  return {error.code, fmt::format("the API server does not know {} ({}); its CustomResourceDefinition is not installed",
                                  type.kind, type.apiVersion())};
}

Errc codeOf(int status, const std::string& reason) {
  switch (status) {
    case 400:
    case 422:
      return Errc::Invalid;
    case 401:
      return Errc::Unauthorized;
    case 403:
      return Errc::Forbidden;
    case 404:
      return Errc::NotFound;
    case 405:
    case 406:
    case 415:
      return Errc::Unsupported;
    case 409:
      return reason == "AlreadyExists" ? Errc::AlreadyExists : Errc::Conflict;
    case 410:
      return Errc::Gone;
    case 429:
      return Errc::TooManyRequests;
    case 504:
      return Errc::Timeout;
    default:
      return status >= 500 ? Errc::Unavailable : Errc::Invalid;
  }
}

// A ValidatingAdmissionPolicy or a webhook that names no code refuses with the status of a wrong object: what is right
// today may be so again tomorrow.
bool refusedByPolicy(const std::string& message) {
  return message.find(" is forbidden: ") != std::string::npos ||
         (message.starts_with("admission webhook ") && message.find(" denied the request") != std::string::npos);
}

Error fromStatus(const Json& status, int httpStatus) {
  const auto reason = text(status, "reason");
  auto message = text(status, "message");
  if (message.empty()) message = reason.empty() ? fmt::format("HTTP {}", httpStatus) : reason;
  auto code = codeOf(httpStatus, reason);
  if (code == Errc::Invalid && refusedByPolicy(message)) code = Errc::Forbidden;
  return {code, std::move(message)};
}

// The JSON lines of a watch.
class HttpWatch final : public Watch {
 public:
  HttpWatch(std::unique_ptr<http::Stream> stream, const ResourceType& type, const Clock& clock)
      : stream_(std::move(stream)), type_(type), clock_(clock), heard_(clock.monotonic()) {}
  void cancel() override { stream_->cancel(); }

  Result<std::optional<WatchEvent>> next(std::chrono::milliseconds timeout) override {
    const SystemClock clock;
    const auto deadline = clock.monotonic() + timeout;
    for (;;) {
      if (const auto end = buffer_.find('\n', scanned_); end != std::string::npos) return take(end);
      scanned_ = buffer_.size();
      if (scanned_ > kLineLimit) return Error{Errc::Unavailable, "watch: a line is longer than an object can be"};
      const auto left = std::max(Duration::zero(), deadline - clock.monotonic());
      GODWIT_ASSIGN(auto chunk, stream_->read(std::chrono::ceil<std::chrono::milliseconds>(left)));
      if (chunk) {
        buffer_ += *chunk;
        heard_ = clock_.monotonic();
      } else if (clock_.monotonic() - heard_ >= kLongestSilence) {
        return Error{Errc::Unavailable, "watch: the server has been silent for ten minutes"};
      } else if (clock.monotonic() >= deadline) {
        return std::optional<WatchEvent>();
      }
    }
  }

 private:
  static constexpr std::size_t kLineLimit = 32u << 20;

  Result<std::optional<WatchEvent>> take(std::size_t end) {
    std::string raw = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    dropManagedFields(raw);
    auto line = parseJson(raw);
    if (buffer_.empty()) std::string().swap(buffer_);  // a quiet watch holds no memory
    scanned_ = 0;
    if (!line) return Error{Errc::Unavailable, "watch: " + line.error().message};
    if (!line->is_object()) return Error{Errc::Unavailable, "watch: a line is no JSON object"};
    const auto kind = text(*line, "type");
    Json object = std::move((*line)["object"]);
    if (kind == "ERROR") return fromStatus(object, static_cast<int>(number(500, object, "code")));
    complete(object, type_);
    for (const auto& [name, type] :
         {std::pair("ADDED", WatchEvent::Type::Added), std::pair("MODIFIED", WatchEvent::Type::Modified),
          std::pair("DELETED", WatchEvent::Type::Deleted), std::pair("BOOKMARK", WatchEvent::Type::Bookmark)}) {
      if (kind == name) return std::optional(WatchEvent{type, std::move(object)});
    }
    return Error{Errc::Unavailable, fmt::format("watch: unknown event \"{}\"", kind)};
  }

  std::unique_ptr<http::Stream> stream_;
  const ResourceType& type_;
  const Clock& clock_;
  Duration heard_;  // monotonic, when the server last said anything
  std::string buffer_;
  std::size_t scanned_ = 0;  // no newline before here
};

}  // namespace

Error statusError(int httpStatus, std::string_view body) {
  const auto status = parseJson(body);
  if (status && text(*status, "kind") == "Status") return fromStatus(*status, httpStatus);
  if (httpStatus == 404) return {Errc::Unsupported, kUnknownKind};
  return {codeOf(httpStatus, ""), fmt::format("HTTP {}: {}", httpStatus, body.substr(0, 200))};
}

HttpApi::HttpApi(ClusterAccess access, std::unique_ptr<http::Client> client, const Clock& clock, HttpApiOptions options)
    : access_(std::move(access)),
      client_(std::move(client)),
      clock_(clock),
      options_(options),
      bucket_(options.requestsPerSecond, options.burst),
      token_(access_.token) {}

Result<std::unique_ptr<HttpApi>> HttpApi::make(ClusterAccess access, const Clock& clock, HttpApiOptions options) {
  GODWIT_ASSIGN(auto client, http::Client::make(access.server, access.tls));
  return std::unique_ptr<HttpApi>(new HttpApi(std::move(access), std::move(client), clock, options));
}

void HttpApi::shutDown() {
  std::lock_guard lock(mutex_);
  shutDown_ = true;
  woken_.notify_all();
}

Result<void> HttpApi::pause(Duration time) {
  if (time <= Duration::zero()) return {};
  std::unique_lock lock(mutex_);
  if (woken_.wait_for(lock, time, [this] { return shutDown_; })) return Error{Errc::Cancelled, "told to stop"};
  return {};
}

Error HttpApi::notConnected(Error error) {
  if (error.code == Errc::Unavailable) options_.outages->seen(clock_.monotonic());
  return error;
}

Error HttpApi::judge(Error error) {
  if (error.code == Errc::Unavailable) return notConnected(std::move(error));
  if (error.code != Errc::Forbidden && error.code != Errc::Unauthorized) return error;
  if (error.code == Errc::Unauthorized) {  // a token that was renewed early, perhaps
    std::lock_guard lock(tokenMutex_);
    tokenRead_.reset();
  }
  if (!options_.outages->within(kRecovery, clock_.monotonic())) return error;
  return {Errc::Unavailable, "the API server has just come back and may not know its rules yet: " + error.message};
}

std::string HttpApi::bearer() {
  std::lock_guard lock(tokenMutex_);
  if (access_.tokenFile.empty() || (tokenRead_ && clock_.monotonic() - *tokenRead_ < kTokenAge)) return token_;
  tokenRead_ = clock_.monotonic();
  if (auto content = readFile(access_.tokenFile, 1 << 20)) {
    token_ = content->substr(0, content->find_last_not_of(" \r\n\t") + 1);
  } else {
    log::warn("kube", "the token cannot be read, the last one is used: {}", content.error().message);
  }
  return token_;
}

HttpApi::Asked HttpApi::call(const char* method, const char* verb, std::string resource, std::string target) {
  Asked call{{.method = method,
              .target = std::move(target),
              .headers = {{"Accept", "application/json"}},
              .body = {},
              .timeout = options_.timeout},
             verb,
             std::move(resource)};
  if (const auto token = bearer(); !token.empty()) call.headers.emplace_back("Authorization", "Bearer " + token);
  return call;
}

// A server that is too busy or starting says how long to stay away, and that it has done nothing. One that starts asks
// for more than it will need: the caller hears of it at once and decides, because a worker that sleeps here serves
// nobody while the server has long been back.
static std::optional<std::chrono::seconds> askedToWait(const http::Answer& answer) {
  if (answer.status != 429 && answer.status / 100 != 5) return std::nullopt;
  const auto header = answer.headers.find("retry-after");
  if (header == answer.headers.end() || header->second.empty() || header->second.size() > 4 ||
      header->second.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  const std::chrono::seconds asked(std::stoi(header->second));
  if (answer.status != 429 && asked > kShortPause) return std::nullopt;
  return std::min(kLongestPause, asked);
}

// `299 - "text", 299 - "text"`: what the server did otherwise than asked, an unknown field above all.
static void repeatWarnings(const http::Answer& answer) {
  const auto header = answer.headers.find("warning");
  if (header == answer.headers.end()) return;
  std::string said;
  bool quoted = false;
  for (std::size_t i = 0; i < header->second.size(); ++i) {
    char c = header->second[i];
    if (c == '"') {
      if (quoted) log::warn("kube", "the server warns: {}", said);
      quoted = !quoted;
      said.clear();
      continue;
    }
    if (c == '\\' && i + 1 < header->second.size()) c = header->second[++i];
    if (quoted) said += c;
  }
}

void HttpApi::count(const Asked& call, int status) {
  std::lock_guard lock(mutex_);
  ++counts_[{call.verb, call.resource, status}];
}

std::map<HttpApi::Count, std::uint64_t> HttpApi::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

Result<http::Answer> HttpApi::answer(const Asked& call) {
  Duration patience = call.method == "GET" ? options_.pauses * Duration(kLongestPause) : kWritesPatience;
  for (int pauses = 0;; ++pauses) {
    GODWIT_TRY(pause(bucket_.take(clock_.monotonic())));
    auto answer = client_->send(call);
    count(call, answer ? answer->status : 0);
    if (!answer) return notConnected(std::move(answer.error()));
    if (answer->status / 100 == 2) {
      repeatWarnings(*answer);
      return answer;
    }
    const auto wait = askedToWait(*answer);
    if (!wait || pauses >= options_.pauses || *wait > patience) return judge(statusError(answer->status, answer->body));
    GODWIT_TRY(pause(*wait));
    patience -= *wait;
  }
}

Result<Json> HttpApi::object(const Asked& call, const ResourceType& type) {
  auto said = answer(call);
  if (!said) return named(said.error(), type);
  dropManagedFields(said->body);
  GODWIT_ASSIGN(auto object, parseJson(said->body));
  complete(object, type);
  return object;
}

Result<Json> HttpApi::get(const ResourceType& type, const NamespacedName& key) {
  return object(call("GET", "get", nameOf(type), pathOf(type, key)), type);
}

Result<bool> HttpApi::serves(std::string_view group) {
  const auto said = answer(call("GET", "get", "apis", "/apis/" + http::encodeComponent(group)));
  if (said.ok()) return true;
  if (said.is(Errc::NotFound) || said.is(Errc::Unsupported)) return false;
  return said.error();
}

Result<List> HttpApi::list(const ResourceType& type, const ListOptions& options) {
  Query query;
  query.add("labelSelector", options.labelSelector).add("fieldSelector", options.fieldSelector);
  query.add("limit", options.limit ? std::to_string(options.limit) : "").add("continue", options.continueToken);
  query.add("resourceVersion", options.mayLag ? "0" : "");
  auto said = answer(call("GET", "list", nameOf(type), type.path(http::encodeComponent(options.ns)) + query.str()));
  if (!said) return named(said.error(), type);
  dropManagedFields(said->body);
  List list;
  GODWIT_ASSIGN(const auto rest,
                parseList(said->body, [&](Json item) { complete(list.items.emplace_back(std::move(item)), type); }));
  list.resourceVersion = text(rest, "metadata", "resourceVersion");
  list.continueToken = text(rest, "metadata", "continue");
  return list;
}

Result<std::unique_ptr<Watch>> HttpApi::watch(const ResourceType& type, const WatchOptions& options) {
  Query query;
  query.add("watch", "1").add("labelSelector", options.labelSelector).add("fieldSelector", options.fieldSelector);
  query.add("resourceVersion", options.resourceVersion).add("allowWatchBookmarks", options.bookmarks ? "true" : "");
  auto stream =
      client_->open(call("GET", "watch", nameOf(type), type.path(http::encodeComponent(options.ns)) + query.str()));
  if (!stream) return notConnected(std::move(stream.error()));
  if (const int status = (*stream)->head().status; status / 100 != 2) {
    std::string body;
    for (;;) {
      auto chunk = (*stream)->read(std::chrono::seconds(5));
      if (!chunk || !*chunk || body.size() > (1u << 20)) break;
      body += **chunk;
    }
    // Who watches asks again at once: it hears of the refusal when the server wants to be asked.
    if (const auto wait = askedToWait((*stream)->head())) GODWIT_TRY(pause(*wait));
    return named(judge(statusError(status, body)), type);
  }
  return std::unique_ptr<Watch>(std::make_unique<HttpWatch>(*std::move(stream), type, clock_));
}

Result<Json> HttpApi::create(const ResourceType& type, const Json& object) {
  auto request =
      call("POST", "create", nameOf(type), type.path(http::encodeComponent(text(object, "metadata", "namespace"))));
  request.headers.emplace_back("Content-Type", "application/json");
  Json whole = object;
  complete(whole, type);  // a server takes built-in kinds without, custom resources not
  request.body = dumpJson(whole);
  return this->object(request, type);
}

Result<Json> HttpApi::patch(const ResourceType& type, const NamespacedName& key, const Json& mergePatch,
                            Subresource subresource) {
  auto request = call("PATCH", "patch", nameOf(type, subresource), pathOf(type, key, subresource));
  request.headers.emplace_back("Content-Type", "application/merge-patch+json");
  request.body = dumpJson(mergePatch);
  return object(request, type);
}

Result<void> HttpApi::remove(const ResourceType& type, const NamespacedName& key, const DeleteOptions& options) {
  static constexpr const char* kPropagation[] = {"Background", "Foreground", "Orphan"};
  Json body = {{"apiVersion", "v1"},
               {"kind", "DeleteOptions"},
               {"propagationPolicy", kPropagation[static_cast<int>(options.propagation)]}};
  if (!options.uid.empty()) body["preconditions"]["uid"] = options.uid;
  if (!options.resourceVersion.empty()) body["preconditions"]["resourceVersion"] = options.resourceVersion;
  if (options.gracePeriodSeconds) body["gracePeriodSeconds"] = *options.gracePeriodSeconds;
  auto request = call("DELETE", "delete", nameOf(type), pathOf(type, key));
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = dumpJson(body);
  GODWIT_TRY(answer(request));
  return {};
}

Result<std::string> HttpApi::logs(const NamespacedName& pod, const LogOptions& options) {
  Query query;
  query.add("container", options.container)
      .add("tailLines", options.tailLines ? std::to_string(*options.tailLines) : "");
  query.add("limitBytes", options.limitBytes ? std::to_string(*options.limitBytes) : "");
  GODWIT_ASSIGN(auto said,
                answer(call("GET", "get", "pods/log", pathOf(resources::kPods, pod) + "/log" + query.str())));
  return std::move(said.body);
}

}  // namespace godwit::kube
