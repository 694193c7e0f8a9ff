#include "http/session.h"

#include <fmt/core.h>
#include <poll.h>

#include <ctime>

#include "base/log.h"

namespace godwit::http {

namespace {

constexpr std::size_t kReadSize = 8 << 10;

std::string httpDate() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

// A header value from a handler may echo input: control characters must not start a line of their own.
std::string oneLine(std::string value) {
  for (char& c : value) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') c = ' ';
  }
  return value;
}

std::string head(int status, const Headers& headers, bool keepAlive) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nConnection: {}\r\n", status, reason(status), httpDate(),
                                keepAlive ? "keep-alive" : "close");
  for (const auto& [name, value] : headers) out += fmt::format("{}: {}\r\n", oneLine(name), oneLine(value));
  return out;
}

class Writer final : public ResponseWriter {
 public:
  Writer(Connection& connection, const Limits& limits, int wake, StreamMonitor& monitor, bool toHead, bool chunks,
         bool keepAlive)
      : connection_(connection),
        limits_(limits),
        wake_(wake),
        monitor_(monitor),
        toHead_(toHead),
        chunks_(chunks),
        keepAlive_(keepAlive) {}
  ~Writer() override {
    if (streaming_) monitor_.streamEnded(connection_.fd());
  }

  void send(int status, const Headers& headers, std::string_view body) override {
    if (std::exchange(answered_, true)) return;
    std::string out = head(status, headers, keepAlive_);
    out +=
        status == 204 || status == 304 ? std::string("\r\n") : fmt::format("Content-Length: {}\r\n\r\n", body.size());
    if (!toHead_) out += body;
    put(out);
  }

  bool startStream(int status, const Headers& headers) override {
    if (std::exchange(answered_, true)) return false;
    keepAlive_ = keepAlive_ && chunks_;
    std::string out = head(status, headers, keepAlive_);
    if (chunks_) out += "Transfer-Encoding: chunked\r\n";
    streaming_ = true;
    monitor_.streamBegan(connection_.fd(), stop_);
    return put(out + "\r\n");
  }

  bool write(std::string_view chunk) override {
    if (!streaming_ || chunk.empty() || toHead_) return streaming_ && !broken_ && !stop_.stop_requested();
    if (stop_.stop_requested()) return false;
    return chunks_ ? put(fmt::format("{:x}\r\n{}\r\n", chunk.size(), chunk)) : put(chunk);
  }

  std::stop_token closed() const override { return stop_.get_token(); }

  // After the handler: what remains to be said. True when another request may follow.
  bool finish() {
    if (!answered_) send(500, {{"Content-Type", "text/plain"}}, "the handler gave no answer\n");
    if (streaming_ && chunks_ && !toHead_) put("0\r\n\r\n");
    return keepAlive_ && !broken_;
  }

 private:
  bool put(std::string_view data) {
    if (broken_) return false;
    // While the server stops, what is ready still goes out; only waiting for a slow client ends.
    const auto written = connection_.write(data, Patience::of(limits_.write, wake_));
    if (!written) {
      broken_ = true;
      stop_.request_stop();
    }
    return !broken_;
  }

  Connection& connection_;
  const Limits& limits_;
  const int wake_;
  StreamMonitor& monitor_;
  const bool toHead_, chunks_;
  bool keepAlive_;
  bool answered_ = false, streaming_ = false, broken_ = false;
  std::stop_source stop_;
};

}  // namespace

Session::Session(Connection& connection, const Limits& limits, std::string peer, int wake, StreamMonitor& monitor)
    : connection_(connection), limits_(limits), peer_(std::move(peer)), wake_(wake), monitor_(monitor) {}

void Session::run(const Handler& handler, const BodyWanted& wanted) {
  for (;;) {
    RequestParser parser(limits_.headerBytes, limits_.bodyBytes);
    const auto received = receive(parser, wanted);
    if (received == Received::Nothing) break;
    if (answer(handler, parser, received)) continue;
    if (received == Received::Head) return close();
    break;
  }
  connection_.shutdown();
}

void Session::refuse(int status, std::string_view message) {
  Writer writer(connection_, limits_, wake_, monitor_, false, true, false);
  writer.send(status, {{"Content-Type", "text/plain"}}, fmt::format("{}\n", message));
  close();
}

// Closing with unread bytes would reset the connection and lose the answer; so they are read, within bounds.
void Session::close() {
  connection_.shutdown();
  const Patience patience = Patience::of(std::chrono::seconds(1), wake_);
  char scrap[kReadSize];
  for (std::size_t total = 0; total < limits_.bodyBytes * 2;) {
    const auto got = connection_.read(scrap, sizeof scrap, patience);
    if (!got || *got == 0) return;
    total += *got;
  }
}

Result<std::size_t> Session::fill(const Patience& patience) {
  const auto before = pending_.size();
  pending_.resize(before + kReadSize);
  const auto got = connection_.read(pending_.data() + before, kReadSize, patience);
  pending_.resize(before + (got ? *got : 0));
  return got;
}

Session::Received Session::receive(RequestParser& parser, const BodyWanted& wanted) {
  if (pending_.empty()) {
    pending_.shrink_to_fit();  // an idle connection holds no buffer
    const auto got = fill(Patience::of(limits_.idle, wake_));
    if (!got || *got == 0) return Received::Nothing;
  }
  Patience patience = Patience::of(limits_.header, wake_);
  bool inBody = false;
  for (;;) {
    const auto used = parser.put(pending_);
    if (!used) return refuse(parser.status(), used.error().message), Received::Nothing;
    pending_.erase(0, *used);
    if (parser.done()) return Received::Whole;
    if (parser.headerDone() && !std::exchange(inBody, true)) {
      const auto head = parser.head();
      if (wanted && head && !wanted(*head)) return Received::Head;
      patience = Patience::of(limits_.body, wake_);
      if (parser.wantsContinue() && !connection_.write("HTTP/1.1 100 Continue\r\n\r\n", patience)) {
        return Received::Nothing;
      }
    }
    if (*used > 0 && !pending_.empty()) continue;
    const auto got = fill(patience);
    if (!got && got.is(Errc::Timeout)) return refuse(408, "the request did not arrive in time"), Received::Nothing;
    if (!got || *got == 0) return Received::Nothing;
  }
}

bool Session::answer(const Handler& handler, RequestParser& parser, Received received) {
  const bool keepAlive = received == Received::Whole && parser.keepAlive();
  auto request = received == Received::Whole ? parser.take() : parser.head();
  if (!request) return refuse(400, request.error().message), false;
  request->peer = peer_;
  Writer writer(connection_, limits_, wake_, monitor_, request->method == "HEAD", parser.chunks(), keepAlive);
  try {
    handler(*request, writer);
  } catch (const std::exception& e) {
    // The last line of defence: one bad request must not end the process.
    log::error("http", "{} {}: {}", request->method, request->path, e.what());
    writer.send(500, {{"Content-Type", "text/plain"}}, "internal error\n");
  }
  return writer.finish();
}

}  // namespace godwit::http
