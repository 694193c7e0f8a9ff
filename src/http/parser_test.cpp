#include "http/parser.h"

#include <gtest/gtest.h>

#include "base/random.h"

using namespace godwit;
using namespace godwit::http;

namespace {

// Feeds `text` in pieces of at most `piece` bytes as a connection would. False: refused.
template <class Parser>
bool feed(Parser& parser, std::string_view text, std::size_t piece) {
  std::string pending;
  while (!parser.done()) {
    const auto used = parser.put(pending);
    if (!used) return false;
    pending.erase(0, *used);
    if (*used > 0 && !pending.empty()) continue;
    if (text.empty()) return true;
    pending += text.substr(0, piece);
    text.remove_prefix(std::min(piece, text.size()));
  }
  return true;
}

}  // namespace

TEST(ResponseParser, KeepsItsLimitHoweverTheBytesCome) {
  const std::string body(11, 'x');
  for (const std::string& whole :
       {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" + body,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n" + body + "\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n" + body}) {
    for (std::size_t piece = 1; piece <= whole.size(); ++piece) {
      ResponseParser tight(false, 10), enough(false, 11), unlimited(false, 0);
      EXPECT_FALSE(feed(tight, whole, piece)) << piece << whole;
      EXPECT_TRUE(feed(enough, whole, piece)) << piece << whole;
      EXPECT_TRUE(feed(unlimited, whole, piece));
      EXPECT_EQ(unlimited.takeBody(), body);
    }
  }
}

TEST(ResponseParser, APromiseCostsNoMemory) {
  ResponseParser parser(false, 0);
  EXPECT_TRUE(feed(parser, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nx", 1000));
  EXPECT_FALSE(parser.done());
  EXPECT_EQ(parser.takeBody(), "x");
}

TEST(RequestParser, SurvivesWhateverIsDoneToAGoodRequest) {
  const std::string good =
      "POST /a/b?c=d HTTP/1.1\r\nHost: h\r\nX-Long: one two three\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4;ext=1\r\nabcd\r\n1\r\ne\r\n0\r\nTrailer: t\r\n\r\n";
  Random random(42);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = good;
    for (std::uint64_t i = 1 + random.below(4); i > 0; --i) {
      const auto at = random.below(bad.size());
      switch (random.below(4)) {
        case 0:
          bad[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          bad.erase(at, 1 + random.below(5));
          break;
        case 2:
          bad.insert(at, bad.substr(random.below(bad.size()), random.below(10)));
          break;
        default:
          bad.insert(at, 1, "\r\n :\0"[random.below(5)]);
          break;
      }
      if (bad.empty()) bad = "G";
    }
    RequestParser parser(1024, 64);
    if (feed(parser, bad, 1 + random.below(40)) && parser.done()) accepted += parser.take().ok();
  }
  EXPECT_GT(accepted, 100);  // some changes are harmless; the rest was refused in words or waits for more
}
