#include "http/server.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <condition_variable>
#include <thread>

#include "http/client.h"
#include "http/connection.h"
#include "http/testing.h"

using namespace godwit;
using namespace godwit::http;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace {

std::string readAll(Connection& connection) {
  std::string out;
  char buffer[4096];
  for (;;) {
    const auto got = connection.read(buffer, sizeof buffer, Patience::of(20s));
    if (!got || *got == 0) return out;
    out.append(buffer, *got);
  }
}

std::string readUntil(Connection& connection, std::string_view mark) {
  std::string out;
  char c;
  while (out.find(mark) == std::string::npos) {
    const auto got = connection.read(&c, 1, Patience::of(20s));
    if (!got || *got == 0) break;
    out += c;
  }
  return out;
}

// Sends all and returns everything that came back. Half-closing first means: nothing more will come from here.
std::string talk(std::uint16_t port, std::string_view request, bool halfClose = true) {
  auto connection = dial(port);
  EXPECT_TRUE(connection.write(request, Patience::of(20s)).ok());
  if (halfClose) ::shutdown(connection.fd(), SHUT_WR);
  return readAll(connection);
}

void echo(const Request& request, ResponseWriter& out) {
  out.send(200, {{"Content-Type", "text/plain"}}, request.method + " " + request.path + " [" + request.body + "]");
}

std::unique_ptr<Server> serve(Handler handler, Limits limits = {}) {
  auto server = Server::start({.limits = limits}, std::move(handler));
  EXPECT_TRUE(server.ok()) << server.error().message;
  return std::move(*server);
}

int status(const std::string& response) {
  return response.size() < 12 ? 0 : std::stoi(response.substr(9, 3));
}

}  // namespace

TEST(HttpServer, AnswersAndKeepsAlive) {
  const auto server = serve(echo);
  const auto out = talk(server->port(),
                        "GET /a%20b?x=1 HTTP/1.1\r\nHost: h\r\n\r\n"
                        "POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz"
                        "PUT /d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  EXPECT_THAT(out, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(out, HasSubstr("GET /a b []"));
  EXPECT_THAT(out, HasSubstr("POST /c [xyz]"));
  EXPECT_THAT(out, HasSubstr("PUT /d [hi]"));
}

TEST(HttpServer, HeadCountsTheBodyAndSendsNone) {
  const auto server = serve(echo);
  const auto out = talk(server->port(), "HEAD /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(out, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(out, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(out, ::testing::EndsWith("\r\n\r\n"));
}

TEST(HttpServer, ContinuesWhenAsked) {
  const auto server = serve(echo);
  auto client = dial(server->port());
  ASSERT_TRUE(
      client.write("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", Patience::of(20s))
          .ok());
  EXPECT_EQ(readUntil(client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(client.write("ok", Patience::of(20s)).ok());
  EXPECT_THAT(readUntil(client, "[ok]"), HasSubstr("200 OK"));
}

TEST(HttpServer, RefusesWhatIsMalformed) {
  const auto server = serve(echo);
  for (const std::string bad : {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                                "GET /%zz HTTP/1.1\r\n\r\n", "GET /%00 HTTP/1.1\r\n\r\n", "GET x HTTP/1.1\r\n\r\n",
                                "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                                "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
                                "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    const int code = status(talk(server->port(), bad));
    EXPECT_TRUE(code == 400 || code == 505) << code << " for " << bad;
  }
}

TEST(HttpServer, RefusesWhatIsTooLarge) {
  const auto server = serve(echo, {.headerBytes = 1024, .bodyBytes = 100});
  EXPECT_EQ(status(talk(server->port(), "GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n")), 431);
  EXPECT_EQ(status(talk(server->port(), "GET /" + std::string(2000, 'x'))), 431);
  EXPECT_EQ(status(talk(server->port(), "POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x'))),
            413);
  EXPECT_EQ(status(talk(server->port(), "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
                                            std::string(101, 'x') + "\r\n0\r\n\r\n")),
            413);
  EXPECT_EQ(status(talk(server->port(), "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x'))),
            200);
}

TEST(HttpServer, ARequestCutAtAnyByteIsNeverAnswered) {
  std::atomic<int> handled = 0;
  const auto server = serve([&](const Request& request, ResponseWriter& out) { ++handled, echo(request, out); });
  const std::string whole =
      "POST /p?a=b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_EQ(talk(server->port(), whole.substr(0, cut)), "") << cut;
  }
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(status(talk(server->port(), whole)), 200);
}

TEST(HttpServer, ARequestMayArriveByteByByte) {
  const auto server = serve(echo);
  auto client = dial(server->port());
  for (const char c : std::string("POST /p HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc")) {
    ASSERT_TRUE(client.write(std::string_view(&c, 1), Patience::of(20s)).ok());
  }
  EXPECT_THAT(readAll(client), HasSubstr("POST /p [abc]"));
}

TEST(HttpServer, ASlowRequestIsTold) {
  const auto server = serve(echo, {.header = 20ms, .body = 20ms, .idle = 10s});
  auto client = dial(server->port());
  ASSERT_TRUE(client.write("GET / HT", Patience::of(20s)).ok());
  EXPECT_EQ(status(readAll(client)), 408);
  auto other = dial(server->port());
  ASSERT_TRUE(other.write("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab", Patience::of(20s)).ok());
  EXPECT_EQ(status(readAll(other)), 408);
}

TEST(HttpServer, ABodyThatIsNotWantedIsNotAwaited) {
  auto server = Server::start({.bodyWanted = [](const Request& head) { return head.header("key") == "right"; }}, echo);
  ASSERT_TRUE(server.ok()) << server.error().message;
  const auto post = [&](std::string_view key, std::string_view length, std::string_view rest) {
    auto client = dial((*server)->port());
    const auto head = fmt::format("POST /p HTTP/1.1\r\nKey: {}\r\n{}\r\n\r\n", key, length);
    EXPECT_TRUE(client.write(head, Patience::of(20s)).ok());
    const auto early = key == "right" ? "" : readAll(client);
    EXPECT_TRUE(client.write(rest, Patience::of(20s)).ok());
    ::shutdown(client.fd(), SHUT_WR);
    return early + readAll(client);
  };
  const std::string_view body = "abcGET /smuggled HTTP/1.1\r\n\r\n";
  for (const std::string_view length :
       {"Content-Length: 3", "Content-Length: 3\r\nExpect: 100-continue", "Transfer-Encoding: chunked"}) {
    const auto refused = post("wrong", length, body);
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(refused, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(refused, ::testing::EndsWith("POST /p []")) << length;
  }
  EXPECT_THAT(post("right", "Content-Length: 3", body), HasSubstr("POST /p [abc]"));
}

TEST(HttpServer, AnIdleConnectionIsClosedWithoutAWord) {
  const auto server = serve(echo, {.idle = 10ms});
  auto client = dial(server->port());
  EXPECT_EQ(readAll(client), "");
}

TEST(HttpServer, TooManyConnectionsAreTold) {
  const auto server = serve(echo, {.connections = 1});
  auto first = dial(server->port());
  ASSERT_TRUE(first.write("GET / HTTP/1.1\r\n\r\n", Patience::of(20s)).ok());
  readUntil(first, "[]");
  EXPECT_EQ(status(talk(server->port(), "GET / HTTP/1.1\r\n\r\n")), 503);
}

TEST(HttpServer, AHandlerThatFailsIsA500) {
  const auto server = serve([](const Request& request, ResponseWriter&) {
    if (request.path == "/throw") throw std::runtime_error("secret details");
  });
  const auto thrown = talk(server->port(), "GET /throw HTTP/1.1\r\n\r\n");
  EXPECT_EQ(status(thrown), 500);
  EXPECT_EQ(thrown.find("secret"), std::string::npos);
  EXPECT_EQ(status(talk(server->port(), "GET /silent HTTP/1.1\r\n\r\n")), 500);
}

TEST(HttpServer, HeadersCannotBeSmuggledIntoTheAnswer) {
  const auto server = serve([](const Request&, ResponseWriter& out) { out.send(200, {{"X", "a\r\nEvil: 1"}}, ""); });
  EXPECT_THAT(talk(server->port(), "GET / HTTP/1.1\r\n\r\n"), HasSubstr("X: a  Evil: 1\r\n"));
}

TEST(HttpServer, StreamsInChunksAndOtherwiseToOldClients) {
  const auto server = serve([](const Request&, ResponseWriter& out) {
    out.startStream(200, {});
    out.write("one");
    out.write("");
    out.write("two");
    out.send(500, {}, "ignored");
  });
  EXPECT_THAT(talk(server->port(), "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false),
              HasSubstr("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"));
  EXPECT_THAT(talk(server->port(), "GET / HTTP/1.0\r\n\r\n", false), ::testing::EndsWith("\r\n\r\nonetwo"));
}

// A handler that waits on something of its own is woken when the client leaves or the server stops.
struct WaitingHandler {
  std::mutex mutex;
  std::condition_variable changed;
  int begun = 0, ended = 0;

  void operator()(const Request&, ResponseWriter& out) {
    bool closed = false;
    out.startStream(200, {});
    const std::stop_callback wake(out.closed(), [&] {
      std::lock_guard lock(mutex);
      closed = true;
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    ++begun;
    changed.notify_all();
    changed.wait(lock, [&] { return closed; });
    EXPECT_FALSE(out.write("x"));
    ++ended;
    changed.notify_all();
  }
  bool await(int& counter, int value) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 20s, [&] { return counter == value; });
  }
};

TEST(HttpServer, AStreamNoticesThatItsClientLeft) {
  WaitingHandler handler;
  const auto server = serve(std::ref(handler));
  {
    auto client = dial(server->port());
    ASSERT_TRUE(client.write("GET / HTTP/1.1\r\n\r\n", Patience::of(20s)).ok());
    ASSERT_TRUE(handler.await(handler.begun, 1));
  }
  EXPECT_TRUE(handler.await(handler.ended, 1));
}

TEST(HttpServer, StopEndsStreamsAndIdleConnections) {
  WaitingHandler handler;
  auto server = serve(std::ref(handler));
  auto idle = dial(server->port());
  auto client = dial(server->port());
  ASSERT_TRUE(client.write("GET / HTTP/1.1\r\n\r\n", Patience::of(20s)).ok());
  ASSERT_TRUE(handler.await(handler.begun, 1));
  server->stop();
  server->stop();
  EXPECT_EQ(handler.ended, 1);
  EXPECT_EQ(readAll(idle), "");
}

TEST(HttpServer, StopWaitsForTheLastBreathOfItsThreads) {
  static std::atomic<int> alive = 0;
  struct LivesAsLongAsItsThread {
    LivesAsLongAsItsThread() { ++alive; }
    ~LivesAsLongAsItsThread() {
      std::this_thread::sleep_for(20ms);  // what OpenSSL keeps for a thread goes at this time, too
      --alive;
    }
    const char* text = "here";
  };
  auto server = serve([](const Request&, ResponseWriter& out) {
    static thread_local LivesAsLongAsItsThread keepsake;
    out.send(200, {}, keepsake.text);
  });
  for (int i = 0; i < 3; ++i) EXPECT_THAT(talk(server->port(), "GET / HTTP/1.1\r\n\r\n"), HasSubstr("here"));
  server->stop();
  EXPECT_EQ(alive, 0);
}

TEST(HttpServer, AClientThatTakesNothingIsGone) {
  std::atomic<bool> gone = false;
  {
    const auto server = serve(
        [&](const Request&, ResponseWriter& out) {
          out.startStream(200, {});
          const std::string chunk(1 << 20, 'x');
          while (out.write(chunk)) {
          }
          gone = true;
        },
        {.write = 20ms});
    auto client = dial(server->port());
    ASSERT_TRUE(client.write("GET / HTTP/1.1\r\n\r\n", Patience::of(20s)).ok());
    ASSERT_THAT(readUntil(client, "\r\n\r\n"), HasSubstr("chunked"));
    while (!gone) std::this_thread::yield();
  }
}

TEST(HttpServer, APortInUseIsNamed) {
  const auto first = serve(echo);
  const auto second = Server::start({.port = first->port()}, echo);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("port " + std::to_string(first->port())));
  EXPECT_TRUE(Server::start({.address = "not-an-address"}, echo).is(Errc::Invalid));
}

TEST(HttpServer, BrokenIdentitiesAreRefused) {
  EXPECT_TRUE(Server::start({.tls = Identity{"x", "y"}}, echo).is(Errc::Invalid));
  const SystemClock clock;
  const auto one = makeAuthority("one", clock.now(), 24h), two = makeAuthority("two", clock.now(), 24h);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_THAT(Server::start({.tls = Identity{one->certificate, two->key}}, echo).error().message,
              HasSubstr("does not belong"));
  EXPECT_THAT(Server::start({.tls = Identity{one->certificate, "?"}}, echo).error().message, HasSubstr("TLS key"));
}

TEST(ServerTls, ACertificateThatIsRenewedIsSeenByTheNextConnection) {
  const auto now = SystemClock().now();
  const auto before = makeAuthority("before", now, 1h), after = makeAuthority("after", now, 1h);
  ASSERT_TRUE(before.ok() && after.ok());
  const CertificateRequest request{.commonName = "it", .names = {"127.0.0.1"}};
  auto server = Server::start({.tls = *issue(*before, request, now, 1h)},
                              [](const Request&, ResponseWriter& out) { out.send(200, {}, "ok"); });
  ASSERT_TRUE(server.ok()) << server.error().message;
  const auto ask = [&](const Identity& trusted) {
    const auto client = Client::make({.tls = true, .host = "127.0.0.1", .port = (*server)->port(), .path = {}},
                                     {.caPem = trusted.certificate});
    return (*client)->send({});
  };
  EXPECT_TRUE(ask(*before).ok());
  EXPECT_TRUE((*server)->renew({"nonsense", "nonsense"}).is(Errc::Invalid));
  EXPECT_TRUE(ask(*before).ok());
  EXPECT_TRUE(ask(*after).is(Errc::Unauthorized));
  ASSERT_TRUE((*server)->renew(*issue(*after, request, now, 1h)).ok());
  EXPECT_TRUE(ask(*after).ok());
  EXPECT_TRUE(ask(*before).is(Errc::Unauthorized));
}
