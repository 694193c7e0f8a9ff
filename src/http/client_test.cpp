#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <set>
#include <thread>

#include "http/connection.h"
#include "http/listener.h"
#include "http/message.h"
#include "http/server.h"

using namespace godwit;
using namespace godwit::http;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace {

void echo(const Request& request, ResponseWriter& out) {
  out.send(200, {{"X-Peer", request.peer}}, request.method + " " + request.path + " [" + request.body + "]");
}

struct Pki {
  SystemClock clock;
  Identity authority = *makeAuthority("test authority", clock.now(), 24h);
  Identity server =
      *issue(authority, {.commonName = "server", .names = {"127.0.0.1", "::1", "godwit.test"}}, clock.now(), 1h);
  Identity client = *issue(authority, {.commonName = "me", .organization = "admins", .client = true}, clock.now(), 1h);
};

std::unique_ptr<Client> clientOf(std::uint16_t port, std::optional<ClientTls> tls = {}) {
  auto client = Client::make({.tls = tls.has_value(), .host = "127.0.0.1", .port = port}, tls.value_or(ClientTls{}));
  EXPECT_TRUE(client.ok()) << client.error().message;
  return std::move(*client);
}

// A server that says exactly what it is told to, then closes.
struct Parrot {
  explicit Parrot(std::string words) : listener(*listenOn("127.0.0.1", 0)), port(*boundPort(listener.get())) {
    thread = std::thread([this, words = std::move(words)] {
      pollfd at{listener.get(), POLLIN, 0};
      ::poll(&at, 1, 20'000);
      Connection connection(UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
      std::string heard(4096, '\0');
      EXPECT_TRUE(connection.read(heard.data(), heard.size(), Patience::of(20s)).ok());
      EXPECT_TRUE(connection.write(words, Patience::of(20s)).ok());
      connection.shutdown();
    });
  }
  ~Parrot() { thread.join(); }
  UniqueFd listener;
  std::uint16_t port;
  std::thread thread;
};

}  // namespace

TEST(HttpClient, CallsOverOneKeptConnection) {
  const auto server = Server::start({}, echo);
  ASSERT_TRUE(server.ok());
  const auto client = clientOf((*server)->port());
  std::set<std::string> peers;
  for (int i = 0; i < 3; ++i) {
    const auto response = client->send({.method = "POST", .target = "/x%20y", .body = "body"});
    ASSERT_TRUE(response.ok()) << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "POST /x y [body]");
    peers.insert(response->headers.at("x-peer"));
  }
  EXPECT_EQ(peers.size(), 1u);
  const auto head = client->send({.method = "HEAD"});
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->body, "");
}

TEST(HttpClient, OutlivesAServerThatRestarts) {
  auto server = Server::start({}, echo);
  ASSERT_TRUE(server.ok());
  const auto port = (*server)->port();
  const auto client = clientOf(port);
  ASSERT_TRUE(client->send({}).ok());
  (*server)->stop();
  EXPECT_TRUE(client->send({}).is(Errc::Unavailable));
  const auto again = Server::start({.port = port}, echo);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(client->send({}).ok());
}

TEST(HttpClient, TlsIsVerified) {
  const Pki pki;
  const auto server = Server::start({.tls = pki.server}, echo);
  ASSERT_TRUE(server.ok()) << server.error().message;
  const auto port = (*server)->port();
  const auto good = clientOf(port, ClientTls{.caPem = pki.authority.certificate})->send({.target = "/tls"});
  ASSERT_TRUE(good.ok()) << good.error().message;
  EXPECT_EQ(good->body, "GET /tls []");
  EXPECT_TRUE(
      clientOf(port, ClientTls{.caPem = pki.authority.certificate, .serverName = "godwit.test"})->send({}).ok());
  EXPECT_TRUE(clientOf(port, ClientTls{.insecure = true})->send({}).ok());
  EXPECT_TRUE(clientOf(port, ClientTls{.caPem = pki.authority.certificate,
                                       .certPem = pki.client.certificate,
                                       .keyPem = pki.client.key})
                  ->send({})
                  .ok());

  const Pki other;
  const auto stranger = clientOf(port, ClientTls{.caPem = other.authority.certificate})->send({});
  EXPECT_THAT(stranger.error().message, HasSubstr("certificate is refused"));
  const auto misnamed =
      clientOf(port, ClientTls{.caPem = pki.authority.certificate, .serverName = "else.test"})->send({});
  EXPECT_THAT(misnamed.error().message, HasSubstr("hostname mismatch"));
  EXPECT_TRUE(clientOf(port)->send({}).is(Errc::Unavailable) || clientOf(port)->send({}).is(Errc::Invalid));
}

TEST(HttpClient, BrokenCertificatesAreRefusedAtOnce) {
  const Url url{.tls = true, .host = "h", .port = 443};
  EXPECT_THAT(Client::make(url, {.caPem = "x"}).error().message, HasSubstr("authority"));
  EXPECT_THAT(Client::make(url, {.certPem = "x", .keyPem = "y"}).error().message, HasSubstr("certificate"));
}

TEST(HttpClient, NobodyThereIsUnavailable) {
  // Bound, so that it is nobody else's, but not listening: connections are refused.
  const UniqueFd bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  ASSERT_EQ(::bind(bound.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  const std::uint16_t silent = *boundPort(bound.get());
  const auto response = clientOf(silent)->send({});
  ASSERT_TRUE(response.is(Errc::Unavailable));
  EXPECT_THAT(response.error().message, HasSubstr("port " + std::to_string(silent)));
  EXPECT_TRUE((*Client::make({.host = "no such host.invalid", .port = 80}, {}))->send({}).is(Errc::Unavailable));
}

TEST(HttpClient, ASilentServerTimesOut) {
  const auto listener = listenOn("127.0.0.1", 0);
  Call call;
  call.timeout = 20ms;
  EXPECT_TRUE(clientOf(*boundPort(listener->get()))->send(call).is(Errc::Timeout));
}

TEST(HttpClient, AResponseCutAtAnyByteIsAnError) {
  const std::string whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const Parrot parrot(whole.substr(0, cut));
    EXPECT_TRUE(clientOf(parrot.port)->send({}).is(Errc::Unavailable)) << cut;
  }
  const Parrot parrot(whole);
  EXPECT_EQ(clientOf(parrot.port)->send({})->body, "abc");
}

TEST(HttpClient, NonsenseIsAnErrorAndAnEndMayMeanTheEnd) {
  {
    const Parrot parrot("SSH-2.0-OpenSSH\r\n\r\n");
    EXPECT_TRUE(clientOf(parrot.port)->send({}).is(Errc::Invalid));
  }
  {
    const Parrot parrot("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    EXPECT_EQ(clientOf(parrot.port)->send({})->body, "until the end");
  }
  {
    const Parrot parrot("HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\nx");
    EXPECT_TRUE(clientOf(parrot.port)->send({}).is(Errc::Invalid));
  }
}

TEST(HttpStream, DeliversChunksAsTheyComeAndEnds) {
  std::atomic<int> step = 0;
  const auto server = Server::start({}, [&](const Request&, ResponseWriter& out) {
    out.startStream(200, {{"Content-Type", "application/json"}});
    out.write("one\n");
    step.wait(0);
    out.write("two\n");
  });
  ASSERT_TRUE(server.ok());
  const auto client = clientOf((*server)->port());
  auto stream = client->open({.target = "/watch"});
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ((*stream)->head().status, 200);
  EXPECT_EQ((*stream)->head().headers.at("content-type"), "application/json");
  EXPECT_EQ(**(*stream)->read(20s), "one\n");
  const auto nothing = (*stream)->read(0ms);
  ASSERT_TRUE(nothing.ok());
  EXPECT_EQ(*nothing, std::nullopt);
  step = 1;
  step.notify_all();
  EXPECT_EQ(**(*stream)->read(20s), "two\n");
  EXPECT_TRUE((*stream)->read(20s).is(Errc::Unavailable));
}

TEST(HttpStream, CancelWakesTheReader) {
  const Pki pki;
  std::atomic<bool> left = false;
  const auto server = Server::start({.tls = pki.server}, [&](const Request&, ResponseWriter& out) {
    out.startStream(200, {});
    const std::stop_callback wake(out.closed(), [&] {
      left = true;
      left.notify_all();
    });
    left.wait(false);
  });
  ASSERT_TRUE(server.ok());
  const auto client = clientOf((*server)->port(), ClientTls{.caPem = pki.authority.certificate});
  auto stream = client->open({});
  ASSERT_TRUE(stream.ok());
  std::thread canceller([&] { (*stream)->cancel(); });
  EXPECT_TRUE((*stream)->read(1h).is(Errc::Cancelled));
  canceller.join();
  EXPECT_TRUE((*stream)->read(1h).is(Errc::Cancelled));
  stream->reset();
  left.wait(false);
}

TEST(HttpStream, ALostServerIsUnavailable) {
  const Parrot parrot("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  auto stream = clientOf(parrot.port)->open({});
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(**(*stream)->read(20s), "abc");
  EXPECT_TRUE((*stream)->read(20s).is(Errc::Unavailable));
}

TEST(Tls, NamesAreCheckedAndDatesRead) {
  const Pki pki;
  EXPECT_TRUE(
      issue(pki.authority, {.commonName = "x", .names = {"a,IP:1.2.3.4"}}, pki.clock.now(), 1h).is(Errc::Invalid));
  EXPECT_TRUE(issue(pki.authority, {.commonName = "x", .names = {""}}, pki.clock.now(), 1h).is(Errc::Invalid));
  EXPECT_TRUE(issue(Identity{pki.authority.certificate, pki.server.key}, {.commonName = "x"}, pki.clock.now(), 1h)
                  .is(Errc::Invalid));
  EXPECT_TRUE(issue(Identity{"", ""}, {.commonName = "x"}, pki.clock.now(), 1h).is(Errc::Invalid));
  const TimePoint now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2);
  EXPECT_EQ(*expiry(makeAuthority("x", now, 24h)->certificate), now + 24h);
  EXPECT_TRUE(expiry("x").is(Errc::Invalid));
}

TEST(Message, EscapesGoBothWays) {
  EXPECT_EQ(encodeComponent("a b/c=d,e!~"), "a%20b%2Fc%3Dd%2Ce%21~");
  EXPECT_EQ(*decode(encodeComponent("\xff\x01 ")), "\xff\x01 ");
  EXPECT_EQ(*decode("a+b"), "a+b");
  EXPECT_EQ(*decode("a+b", true), "a b");
  for (const char* bad : {"%", "%1", "%g0", "%00"}) EXPECT_TRUE(decode(bad).is(Errc::Invalid)) << bad;
  Request request;
  request.target = "http://host/p?a=1&b&&a=2&c=%26#frag";
  ASSERT_TRUE(splitTarget(request).ok());
  EXPECT_EQ(request.path, "/p");
  EXPECT_EQ(request.query.count("a"), 2u);
  EXPECT_EQ(request.param("b"), "");
  EXPECT_EQ(request.param("c"), "&");
  EXPECT_EQ(request.param("d"), std::nullopt);
}
