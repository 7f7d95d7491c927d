#include "wire/http.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/optional.hpp>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <optional>

#include <windlass/error.h>

#include "wire/inflate.h"

namespace windlass::wire::http {

namespace beast = boost::beast;
using ErrorCode = boost::system::error_code;

namespace {

// What a body in chunks ends with at least, "0\r\n\r\n". Beast asserts that much where it comes back to the last chunk.
constexpr std::size_t shortest_last_chunk = 5;
constexpr std::size_t inflate_step = std::size_t{64} << 10;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}
bool same(std::string_view a, std::string_view b) {
  return beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

}  // namespace

std::string_view Message::field(std::string_view name) const {
  const auto found = std::ranges::find_if(fields, [&](const auto& field) { return same(field.first, name); });
  return found == fields.end() ? std::string_view() : found->second;
}

/// What is the same for both directions.
class Decoder::Parser {
 public:
  explicit Parser(const DecoderLimits& limits) : limits_(limits) {}
  virtual ~Parser() = default;

  virtual std::size_t put(std::string_view bytes, ErrorCode& error) = 0;
  virtual void put_end(ErrorCode& error) = 0;
  virtual bool done() const = 0;
  virtual bool header_done() const = 0;
  virtual bool in_chunks() const = 0;

  Message message;
  std::string problem;  ///< where Beast's own text would not say it
  bool too_large = false;

 protected:
  ErrorCode take_body(std::string_view bytes) {
    received_ += bytes.size();
    if (received_ > limits_.max_body)
      return refuse(true, fmt::format("a body of more than {} bytes", limits_.max_body));
    if (!inflater_) {
      message.body.append(bytes);
      return {};
    }
    return inflate(bytes);
  }

  ErrorCode begin_body() {
    const std::string_view encoding = message.field("Content-Encoding");
    if (encoding.empty() || same(encoding, "identity")) return {};
    if (same(encoding, "gzip") || same(encoding, "x-gzip"))
      inflater_.emplace(limits_.max_inflated, ZFormat::gzip);
    else if (same(encoding, "deflate"))
      inflater_.emplace(limits_.max_inflated, ZFormat::zlib);
    else
      return refuse(false, "a body that is encoded neither by gzip nor by deflate");
    return {};
  }

  ErrorCode end_body() {
    if (inflater_ && received_ > 0 && !inflated_) return refuse(false, "a compressed body that is cut short");
    return {};
  }

 private:
  ErrorCode refuse(bool large, std::string why) {
    too_large = large;
    problem = std::move(why);
    return beast::http::make_error_code(beast::http::error::body_limit);
  }

  ErrorCode inflate(std::string_view bytes) {
    while (!bytes.empty() && !inflated_) {
      using Status = Inflater::Status;
      for (Status status = Status::full; status == Status::full;) {
        status = inflater_->inflate(bytes, message.body, inflate_step);
        if (status == Status::too_large)
          return refuse(true, fmt::format("a body that inflates to more than {} bytes", limits_.max_inflated));
        if (status == Status::corrupt || status == Status::surplus) return refuse(false, "a damaged compressed body");
        inflated_ = status == Status::end;
      }
    }
    if (!bytes.empty()) return refuse(false, "bytes behind the end of a compressed body");
    return {};
  }

  const DecoderLimits& limits_;
  std::size_t received_ = 0;
  std::optional<Inflater> inflater_;
  bool inflated_ = false;
};

template <bool request>
class Decoder::ParserOf final : public Parser, public beast::http::basic_parser<request> {
  using Base = beast::http::basic_parser<request>;

 public:
  explicit ParserOf(const DecoderLimits& limits) : Parser(limits) {
    this->eager(true);
    this->header_limit(static_cast<std::uint32_t>(limits.max_header));
    this->body_limit(boost::none);
  }

  std::size_t put(std::string_view bytes, ErrorCode& error) override {
    return Base::put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  }
  void put_end(ErrorCode& error) override { Base::put_eof(error); }
  bool done() const override { return this->is_done(); }
  bool header_done() const override { return this->is_header_done(); }
  bool in_chunks() const override { return this->is_header_done() && this->chunked(); }

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int,
                       ErrorCode&) override {
    message.method = view(method);
    message.target = view(target);
  }
  void on_response_impl(int code, beast::string_view reason, int, ErrorCode&) override {
    message.status = static_cast<unsigned>(code);
    message.reason = view(reason);
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value, ErrorCode&) override {
    message.fields.emplace_back(view(name), view(value));
  }
  void on_header_impl(ErrorCode&) override { message.keep_alive = this->keep_alive(); }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode& error) override {
    error = this->begin_body();
  }
  std::size_t on_body_impl(beast::string_view bytes, ErrorCode& error) override {
    error = this->take_body(view(bytes));
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, ErrorCode& error) override {
    error = this->take_body(view(bytes));
    return bytes.size();
  }
  void on_finish_impl(ErrorCode& error) override { error = this->end_body(); }
};

Decoder::Decoder(Side side, DecoderLimits limits) : side_(side), limits_(limits) {}
Decoder::~Decoder() = default;

void Decoder::feed(std::string_view bytes) {
  if (!error_) input_.append(bytes);
}

const Message* Decoder::next() {
  if (error_) return nullptr;
  if (!parser_) {
    if (input_.empty()) return nullptr;
    if (side_ == Side::requests)
      parser_ = std::make_unique<ParserOf<true>>(limits_);
    else
      parser_ = std::make_unique<ParserOf<false>>(limits_);
    told_continue_ = false;
  }
  while (!input_.empty() && !parser_->done()) {
    if (parser_->in_chunks() && input_.size() < shortest_last_chunk) break;
    ErrorCode error;
    const std::size_t used = parser_->put(input_.view(), error);
    input_.consume(used);
    if (error == beast::http::error::need_more) {
      // Beast wants all of a line at once, and is given it again with more behind it.
      if (input_.size() > limits_.max_header)
        fail(errc::too_large, fmt::format("a header of more than {} bytes", limits_.max_header));
      break;
    }
    if (error) {
      const bool large = parser_->too_large || error == beast::http::error::header_limit;
      fail(large ? errc::too_large : errc::protocol_error,
           parser_->problem.empty() ? fmt::format("no HTTP/1.1: {}", error.message()) : parser_->problem);
      break;
    }
  }
  return !error_ && parser_->done() ? complete() : nullptr;
}

const Message* Decoder::end() {
  if (error_ || !parser_ || !parser_->header_done()) return nullptr;
  ErrorCode error;
  parser_->put_end(error);
  return !error && parser_->done() ? complete() : nullptr;
}

const Message* Decoder::complete() {
  message_ = std::move(parser_->message);
  parser_.reset();
  return &message_;
}

bool Decoder::inside_message() const {
  return parser_ != nullptr || !input_.empty();
}

bool Decoder::wants_continue() {
  if (!parser_ || told_continue_ || !parser_->header_done() || parser_->done()) return false;
  told_continue_ = true;
  return same(parser_->message.field("Expect"), "100-continue");
}

void Decoder::fail(std::error_code error, std::string detail) {
  error_ = error;
  error_detail_ = std::move(detail);
  parser_.reset();
  input_.clear();
}

namespace {

void append_rest(fmt::memory_buffer& text, const Fields& fields, std::size_t length, bool length_told) {
  for (const auto& [name, value] : fields) fmt::format_to(std::back_inserter(text), "{}: {}\r\n", name, value);
  if (length_told) fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n", length);
  fmt::format_to(std::back_inserter(text), "\r\n");
}

}  // namespace

void encode_request(std::string_view method, std::string_view target, const Fields& fields, std::string_view body,
                    base::ByteQueue& out) {
  fmt::memory_buffer text;
  fmt::format_to(std::back_inserter(text), "{} {} HTTP/1.1\r\n", method, target);
  append_rest(text, fields, body.size(), true);
  out.append({text.data(), text.size()});
  out.append(body);
}

void encode_response(unsigned status, const Fields& fields, std::string_view body, bool keep_alive,
                     base::ByteQueue& out, bool with_body) {
  fmt::memory_buffer text;
  fmt::format_to(std::back_inserter(text), "HTTP/1.1 {} {}\r\n", status, reason_of(status));
  if (!keep_alive) fmt::format_to(std::back_inserter(text), "Connection: close\r\n");
  append_rest(text, fields, body.size(), status >= 200 && status != 204);
  out.append({text.data(), text.size()});
  if (with_body) out.append(body);
}

std::string_view reason_of(unsigned status) {
  const beast::http::status known = beast::http::int_to_status(status);
  return known == beast::http::status::unknown ? std::string_view() : view(beast::http::obsolete_reason(known));
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i) text += i <= count ? letters[bits >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

bool is_field_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
}

std::string percent_encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain)
      result += c;
    else
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string percent_decoded(std::string_view text, bool in_query) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned value = 0;
    const char* digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size() && std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      result += static_cast<char>(value);
      at += 2;
    } else {
      result += in_query && text[at] == '+' ? ' ' : text[at];
    }
  }
  return result;
}

Target parse_target(std::string_view target) {
  const auto path_end = std::min(target.find('?'), target.size());
  Target result{target.substr(0, path_end), {}};
  std::string_view query = target.substr(std::min(path_end + 1, target.size()));
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (parameter.empty()) continue;
    const auto name_end = std::min(parameter.find('='), parameter.size());
    result.parameters.emplace_back(percent_decoded(parameter.substr(0, name_end), true),
                                   percent_decoded(parameter.substr(std::min(name_end + 1, parameter.size())), true));
  }
  return result;
}

}  // namespace windlass::wire::http
