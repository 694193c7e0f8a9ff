#include "cli/face.h"

#include <fmt/core.h>

#include "base/log.h"
#include "standalone/ports.h"

namespace godwit::cli {

namespace {

using namespace std::chrono;

constexpr auto kLife = days(3650);  // of the server's certificate as well: it may run for as long
constexpr std::size_t kShortestToken = 32;
constexpr const char* kKeyBegins = "-----BEGIN PRIVATE KEY-----";

// Certificate and key in one file: a kill between two files could leave a pair that does not match.
Result<http::Identity> authority(const DataDir& dir, const Clock& clock) {
  GODWIT_ASSIGN(const auto pem, dir.keep("authority.pem", [&]() -> Result<std::string> {
    GODWIT_ASSIGN(const auto made, http::makeAuthority("godwit", clock.now(), kLife));
    return made.certificate + made.key;
  }));
  const auto key = pem.find(kKeyBegins);
  if (key == std::string::npos) {
    return Error{Errc::Invalid,
                 fmt::format("{}/authority.pem is damaged; delete it to have a new one made", dir.path().string())};
  }
  return http::Identity{pem.substr(0, key), pem.substr(key)};
}

std::string bracketed(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

// Bound to "all addresses", it is reached at this machine's own.
std::string reachedAt(const std::string& address) {
  return address == "0.0.0.0" ? "127.0.0.1" : address == "::" ? "::1" : address;
}

Error withHolder(const Error& error, std::uint16_t port) {
  standalone::HostPorts ports;
  if (port == 0 || ports.look(port, false) != standalone::Ports::State::Held) return error;
  return {Errc::Io, fmt::format("port {} is held by {}; stop it, or give another --port (0: any free one)", port,
                                ports.holder(port))};
}

}  // namespace

Face::Face(standalone::Store& store, const Clock& clock, std::string token, std::function<std::string()> metrics)
    : rest_(store, clock, {.token = std::move(token)}), metrics_(std::move(metrics)) {}

void Face::answer(const http::Request& request, http::ResponseWriter& out) {
  if (request.path != "/metrics") return rest_.serve(request, out);
  if (!rest_.authorized(request)) {
    return out.send(401, {{"Content-Type", "text/plain"}, {"WWW-Authenticate", "Bearer"}},
                    "the kubeconfig's token is needed\n");
  }
  out.send(200, {{"Content-Type", "text/plain; version=0.0.4"}}, metrics_());
}

Result<std::unique_ptr<Face>> Face::open(standalone::Store& store, const DataDir& dir, const Clock& clock,
                                         const FaceOptions& options, std::function<std::string()> metrics) {
  GODWIT_ASSIGN(auto token, dir.keep("token", randomToken));
  if (token.size() < kShortestToken) {
    return Error{Errc::Invalid,
                 fmt::format("{}/token is empty or too short; delete it to have a new one made, or write "
                             "{} characters or more",
                             dir.path().string(), kShortestToken)};
  }
  GODWIT_ASSIGN(const auto ca, authority(dir, clock));
  const auto at = reachedAt(options.address);
  GODWIT_ASSIGN(auto identity, http::issue(ca, {.commonName = "godwit", .names = {at, "localhost", "127.0.0.1", "::1"}},
                                           clock.now(), kLife));
  auto face = std::unique_ptr<Face>(new Face(store, clock, token, std::move(metrics)));
  auto server =
      http::Server::start({.address = options.address,
                           .port = options.port,
                           .tls = std::move(identity),
                           .bodyWanted = [raw = face.get()](const auto& head) { return raw->rest_.authorized(head); }},
                          [raw = face.get()](const auto& request, auto& out) { raw->answer(request, out); });
  if (!server) return withHolder(server.error(), options.port);
  face->server_ = std::move(*server);
  face->url_ = fmt::format("https://{}:{}", bracketed(at), face->server_->port());
  GODWIT_TRY(writeFileAtomic(dir.kubeconfig(), kubeconfigText(face->url_, ca.certificate, token), 0600));
  return face;
}

}  // namespace godwit::cli
