#include "http/parser.h"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>

#include <limits>

namespace godwit::http {

namespace beast = boost::beast::http;
using boost::system::error_code;

namespace {

// A body that grows with what has arrived, never with what Content-Length promises, and keeps its own limit: Beast 1.74
// forgets a response's limit when the body's first bytes come along with the header.
struct Body {
  struct value_type {
    std::string text;
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max();  // may still arrive
  };
  class reader {
   public:
    template <bool isRequest, class Fields>
    reader(beast::header<isRequest, Fields>&, value_type& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>& length, error_code& error) {
      error = length && *length > body_.left ? error_code(beast::error::body_limit) : error_code();
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      error = {};
      const auto size = boost::asio::buffer_size(buffers);
      if (size > body_.left) {
        error = beast::error::body_limit;
        return 0;
      }
      body_.left -= size;
      for (const boost::asio::const_buffer part : boost::beast::buffers_range_ref(buffers)) {
        body_.text.append(static_cast<const char*>(part.data()), part.size());
      }
      return size;
    }
    void finish(error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

template <class Fields>
Headers copyHeaders(const Fields& fields) {
  Headers out;
  for (const auto& field : fields) {
    out.emplace(std::string(field.name_string().data(), field.name_string().size()),
                std::string(field.value().data(), field.value().size()));
  }
  return out;
}

// Feeds a parser; allocation failures and the like become errors of the message that caused them.
template <class Parser>
std::size_t feed(Parser& parser, std::string_view data, error_code& error) {
  try {
    const auto used = parser.put(boost::asio::const_buffer(data.data(), data.size()), error);
    if (error == beast::error::need_more) error = {};
    return used;
  } catch (const std::exception&) {
    error = beast::error::body_limit;
    return 0;
  }
}

int statusOf(const error_code& error) {
  if (error == beast::error::body_limit) return 413;
  if (error == beast::error::header_limit) return 431;
  if (error == beast::error::bad_version) return 505;
  return 400;
}

Error malformed(const char* what, const error_code& error) {
  return {Errc::Invalid, std::string("malformed ") + what + ": " + error.message()};
}

}  // namespace

struct RequestParser::Impl {
  beast::request_parser<Body> parser;
  int status = 0;
};

RequestParser::RequestParser(std::size_t headerBytes, std::size_t bodyBytes) : impl_(std::make_unique<Impl>()) {
  impl_->parser.header_limit(static_cast<std::uint32_t>(headerBytes));
  impl_->parser.body_limit(bodyBytes);  // refuses a promise before "100 Continue" is said
  impl_->parser.get().body().left = bodyBytes;
  impl_->parser.eager(true);
}
RequestParser::~RequestParser() = default;

Result<std::size_t> RequestParser::put(std::string_view data) {
  error_code error;
  const auto used = feed(impl_->parser, data, error);
  if (!error) return used;
  impl_->status = statusOf(error);
  return malformed("request", error);
}

bool RequestParser::headerDone() const {
  return impl_->parser.is_header_done();
}
bool RequestParser::done() const {
  return impl_->parser.is_done();
}
bool RequestParser::keepAlive() const {
  return impl_->parser.keep_alive();
}
bool RequestParser::chunks() const {
  return impl_->parser.get().version() >= 11;
}
int RequestParser::status() const {
  return impl_->status;
}

bool RequestParser::wantsContinue() const {
  const auto& message = impl_->parser.get();
  return headerDone() && !done() && message.version() >= 11 &&
         boost::beast::iequals(message[beast::field::expect], "100-continue");
}

Result<Request> RequestParser::head() const {
  const auto& message = impl_->parser.get();
  Request out;
  out.method = std::string(message.method_string().data(), message.method_string().size());
  out.target = std::string(message.target().data(), message.target().size());
  out.headers = copyHeaders(message);
  GODWIT_TRY(splitTarget(out));
  return out;
}

Result<Request> RequestParser::take() {
  GODWIT_ASSIGN(auto out, head());
  out.body = std::move(impl_->parser.get().body().text);
  return out;
}

struct ResponseParser::Impl {
  beast::response_parser<Body> parser;
};

ResponseParser::ResponseParser(bool toHead, std::size_t bodyBytes) : impl_(std::make_unique<Impl>()) {
  impl_->parser.header_limit(64 << 10);
  // Ours counts; not boost::none, which Beast 1.74 compares as if it were less than any length.
  impl_->parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  if (bodyBytes != 0) impl_->parser.get().body().left = bodyBytes;
  impl_->parser.eager(true);
  impl_->parser.skip(toHead);
}
ResponseParser::ResponseParser(ResponseParser&&) noexcept = default;
ResponseParser::~ResponseParser() = default;

Result<std::size_t> ResponseParser::put(std::string_view data) {
  error_code error;
  const auto used = feed(impl_->parser, data, error);
  if (error) return malformed("response", error);
  return used;
}

Result<void> ResponseParser::end() {
  if (impl_->parser.is_done()) return {};
  error_code error;
  if (headerDone()) impl_->parser.put_eof(error);
  if (error || !impl_->parser.is_done())
    return Error{Errc::Unavailable, "the server closed the connection in the middle"};
  return {};
}

bool ResponseParser::headerDone() const {
  return impl_->parser.is_header_done();
}
bool ResponseParser::done() const {
  return impl_->parser.is_done();
}
bool ResponseParser::keepAlive() const {
  return impl_->parser.keep_alive();
}
int ResponseParser::status() const {
  return static_cast<int>(impl_->parser.get().result_int());
}
Headers ResponseParser::headers() const {
  return copyHeaders(impl_->parser.get());
}
std::string ResponseParser::takeBody() {
  return std::exchange(impl_->parser.get().body().text, {});
}

}  // namespace godwit::http
