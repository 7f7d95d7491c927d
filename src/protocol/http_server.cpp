#include "protocol/http_server.h"

#include <fmt/format.h>
#include <limits>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"

namespace windlass::protocol {
namespace {

/// Answers that a peer leaves untaken before it is read no further.
constexpr std::size_t max_unsent = std::size_t{64} << 10;

const wire::http::Fields json_fields = {{"Content-Type", "application/json"}, {"X-Elastic-Product", "Elasticsearch"}};

std::string error_body(std::string_view type, std::string_view reason, unsigned status) {
  std::string escaped;
  for (const char c : reason) {
    if (c == '"' || c == '\\') escaped += '\\';
    escaped += c >= 0 && c < ' ' ? ' ' : c;
  }
  return fmt::format(R"({{"error":{{"type":"{}","reason":"{}"}},"status":{}}})", type, escaped, status);
}

wire::http::DecoderLimits limits_for(std::size_t max_body) {
  wire::http::DecoderLimits limits;
  limits.max_body = max_body;
  return limits;
}

}  // namespace

HttpServer::HttpServer(Options options)
    : options_(options), decoder_(wire::http::Decoder::Side::requests, limits_for(options.max_body)) {}

std::error_code HttpServer::receive(std::string_view bytes) {
  if (error_) return error_;
  decoder_.feed(bytes);
  hungry_ = false;
  return {};
}

bool HttpServer::wants_input() const {
  return !error_ && !finished_ && hungry_ && !open_ && output_.size() < max_unsent;
}

std::optional<ServerConversation::Event> HttpServer::poll() {
  while (!open_ && !error_ && !finished_) {
    const wire::http::Message* request = decoder_.next();
    if (request != nullptr) {
      take(*request);
      continue;
    }
    hungry_ = true;
    if (decoder_.wants_continue()) wire::http::encode_response(100, {}, {}, true, output_);
    if (decoder_.error()) {
      keep_alive_ = false;
      const unsigned status = decoder_.error() == errc::too_large ? 413 : 400;
      answer(status, error_body("decoding_exception", decoder_.error_detail(), status));
      // A request that is too large has its answer; one that cannot be read is the peer's mistake.
      if (status == 400) error_ = decoder_.error();
    }
    return std::nullopt;
  }
  if (!open_) return std::nullopt;
  const auto count = static_cast<std::uint32_t>(items_.size());
  if (!std::exchange(begun_, true)) return Event{Event::Kind::window_begun, count};
  if (given_ < count) {
    const wire::bulk::Item& item = items_[given_++];
    const bool once = item.operation == wire::bulk::Operation::create;
    return Event{Event::Kind::event, given_, item.document, once ? std::string_view(item.id) : std::string_view()};
  }
  if (!std::exchange(complete_, true)) return Event{Event::Kind::window_complete, count};
  return std::nullopt;
}

void HttpServer::take(const wire::http::Message& request) {
  keep_alive_ = request.keep_alive;
  head_ = request.method == "HEAD";
  if (head_ || request.method == "GET")
    return answer(200, R"({"name":"windlass-sink","version":{"number":"8.0.0"},"tagline":"You Know, for Search"})");
  if (request.method != "POST" && request.method != "PUT")
    return answer(405, error_body("method_not_allowed", request.method, 405));
  if (options_.status != 0) {
    const bool fine = options_.status < 300;
    return answer(options_.status, fine ? "{}" : error_body("sink", "as the sink was asked to", options_.status));
  }
  open(request);
}

void HttpServer::open(const wire::http::Message& request) {
  items_.clear();
  answers_.clear();
  std::string problem;
  if (options_.bulk) {
    const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
    if (!path.ends_with("/_bulk")) return answer(404, error_body("no_handler", request.target, 404));
    auto items = wire::bulk::read_request(request.body.view(), problem);
    if (items && items->empty()) problem = "request body is required";
    if (!problem.empty()) return answer(400, error_body("illegal_argument_exception", problem, 400));
    items_ = std::move(*items);
    for (const wire::bulk::Item& item : items_)
      answers_.push_back({item.operation, item.operation == wire::bulk::Operation::create ? 201u : 200u});
  } else if (!read_lines(request)) {
    return answer(400, error_body("illegal_argument_exception", "expected JSON, as lines or as an array", 400));
  } else if (items_.empty()) {
    return answer(200, "{}");
  }
  open_ = true;
  begun_ = complete_ = false;
  given_ = 0;
}

bool HttpServer::read_lines(const wire::http::Message& request) {
  std::string_view body = request.body.view();
  if (request.field("Content-Type") == "application/json") {
    elements_.clear();
    if (!wire::bulk::read_array(body, elements_)) return false;
    for (const std::string& element : elements_) items_.push_back({wire::bulk::Operation::index, {}, element});
    return true;
  }
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    if (end > 0) items_.push_back({wire::bulk::Operation::index, {}, body.substr(0, end)});
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return true;
}

void HttpServer::ack(std::uint32_t count) {
  WINDLASS_ASSERT(open_ && count <= given_);
  if (count < items_.size()) return;
  open_ = false;
  if (!options_.bulk) return answer(200, "{}");
  body_.clear();
  wire::bulk::encode_answer(answers_, body_);
  answer(200, body_.view());
}

void HttpServer::refuse(Refusal refusal) {
  WINDLASS_ASSERT(open_ && given_ > 0);
  unsigned& status = answers_[given_ - 1].status;
  switch (refusal) {
    case Refusal::duplicate:
      status = 409;
      break;
    case Refusal::rejected:
      status = 400;
      break;
    case Refusal::throttled:
      status = 429;
      break;
  }
}

void HttpServer::answer(unsigned status, std::string_view body) {
  wire::http::encode_response(status, json_fields, body, keep_alive_, output_, !head_);
  finished_ = !keep_alive_;
}

}  // namespace windlass::protocol
