#include "cli/operator_endpoints.h"

#include "base/fd.h"
#include "base/log.h"

namespace godwit::cli {

namespace {

constexpr auto kCertificateLife = std::chrono::days(365);
constexpr auto kRenewBefore = std::chrono::days(30);
constexpr std::size_t kPemBytes = 1 << 20;

void say(http::ResponseWriter& out, int status, std::string_view text) {
  out.send(status, {{"Content-Type", "text/plain; charset=utf-8"}}, text);
}

Result<http::Identity> selfSigned(TimePoint now) {
  GODWIT_ASSIGN(const auto authority, http::makeAuthority("godwit-operator", now, kCertificateLife));
  return http::issue(authority, {.commonName = "godwit-operator", .names = {"localhost", "127.0.0.1"}}, now,
                     kCertificateLife);
}

}  // namespace

OperatorEndpoints::OperatorEndpoints(const EndpointOptions& options, Sources sources, kube::Api& api,
                                     const Clock& clock)
    : options_(options), sources_(std::move(sources)), clock_(clock), auth_(api, clock) {}

Result<http::Identity> OperatorEndpoints::identity() const {
  if (options_.certificateDir.empty()) return selfSigned(clock_.now());
  const std::filesystem::path dir = options_.certificateDir;
  http::Identity out;
  GODWIT_ASSIGN(out.certificate, readFile(dir / "tls.crt", kPemBytes));
  GODWIT_ASSIGN(out.key, readFile(dir / "tls.key", kPemBytes));
  return out;
}

Result<std::unique_ptr<OperatorEndpoints>> OperatorEndpoints::start(const EndpointOptions& options, Sources sources,
                                                                    kube::Api& api, const Clock& clock) {
  auto made = std::unique_ptr<OperatorEndpoints>(new OperatorEndpoints(options, std::move(sources), api, clock));
  // Few connections: a kubelet and some scrapers. The rest of the cluster cannot exhaust the operator's memory here.
  const http::Limits limits{.connections = 16, .headerBytes = 16 << 10, .bodyBytes = 1 << 10};
  if (const auto& at = options.probes) {
    GODWIT_ASSIGN(made->probes_, http::Server::start(
                                     {.address = at->host, .port = at->port, .tls = {}, .limits = limits},
                                     [raw = made.get()](const auto& request, auto& out) { raw->probe(request, out); }));
  }
  if (const auto& at = options.metrics) {
    http::ServerOptions server{.address = at->host, .port = at->port, .tls = {}, .limits = limits};
    if (options.metricsSecure) {
      GODWIT_ASSIGN(server.tls, made->identity());
      made->certificate_ = server.tls->certificate;
    }
    GODWIT_ASSIGN(made->metrics_, http::Server::start(server, [raw = made.get()](const auto& request, auto& out) {
                    raw->scrape(request, out);
                  }));
  }
  return made;
}

void OperatorEndpoints::renew() {
  if (!metrics_ || !options_.metricsSecure) return;
  if (options_.certificateDir.empty()) {
    const auto ends = http::expiry(certificate_);
    if (ends && *ends - clock_.now() > kRenewBefore) return;
  }
  const auto fresh = identity();
  if (fresh && fresh->certificate == certificate_) return;
  const auto used = fresh ? metrics_->renew(*fresh) : Result<void>(fresh.error());
  if (!used) return log::warn("operator", "the metrics' certificate cannot be renewed: {}", used.error().message);
  certificate_ = fresh->certificate;
  log::info("operator", "the metrics' certificate has been renewed");
}

void OperatorEndpoints::probe(const http::Request& request, http::ResponseWriter& out) const {
  if (request.method != "GET" && request.method != "HEAD") return say(out, 405, "GET only\n");
  if (request.path == "/healthz") return say(out, 200, "ok\n");
  if (request.path != "/readyz") return say(out, 404, "/healthz or /readyz\n");
  const auto [ready, trouble] = sources_.readiness();
  if (!ready) return say(out, 503, trouble + "\n");
  say(out, 200, trouble.empty() ? "ok\n" : "ok, but for: " + trouble + "\n");
}

bool OperatorEndpoints::permitted(const http::Request& request, http::ResponseWriter& out) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto given = request.header("Authorization");
  const auto token = given.starts_with(kBearer) ? given.substr(kBearer.size()) : std::string();
  const auto verdict = auth_.check(token, "get", "/metrics");
  if (!verdict) {
    log::warn("operator", "who may read /metrics is not known: {}", verdict.error().message);
    return say(out, 500, "the API server cannot be asked who may read this; the operator's log says why\n"), false;
  }
  switch (*verdict) {
    case kube::DelegatedAuth::Verdict::Allowed:
      return true;
    case kube::DelegatedAuth::Verdict::Denied:
      return say(out, 403, "needs a ClusterRole that allows get on the nonResourceURL /metrics\n"), false;
    case kube::DelegatedAuth::Verdict::Unknown:
      break;
  }
  out.send(401, {{"Content-Type", "text/plain"}, {"WWW-Authenticate", "Bearer"}},
           "a token of this cluster is needed\n");
  return false;
}

void OperatorEndpoints::scrape(const http::Request& request, http::ResponseWriter& out) {
  if (request.method != "GET" && request.method != "HEAD") return say(out, 405, "GET only\n");
  if (request.path != "/metrics") return say(out, 404, "/metrics\n");
  if (options_.metricsSecure && !permitted(request, out)) return;
  out.send(200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, sources_.metrics());
}

}  // namespace godwit::cli
