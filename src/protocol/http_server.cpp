#include "protocol/http_server.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"
#include "base/text.h"

namespace windlass::protocol {
namespace {

/// Answers that a peer leaves untaken before it is read no further.
constexpr std::size_t max_unsent = std::size_t{64} << 10;

constexpr std::string_view asked_to = "as the sink was asked to";
constexpr std::string_view illegal_argument = "illegal_argument_exception";

// What Elasticsearch and OpenSearch know; another one is a mistake in who asks.
constexpr std::string_view bulk_parameters[] = {"_source",
                                                "_source_excludes",
                                                "_source_includes",
                                                "batch_size",
                                                "error_trace",
                                                "filter_path",
                                                "format",
                                                "human",
                                                "include_source_on_error",
                                                "list_executed_pipelines",
                                                "pipeline",
                                                "pretty",
                                                "refresh",
                                                "require_alias",
                                                "require_data_stream",
                                                "routing",
                                                "timeout",
                                                "type",
                                                "wait_for_active_shards"};

/// The index of "/_bulk" (none) and "/INDEX/_bulk"; nothing for another path.
std::optional<std::string> index_in(std::string_view path) {
  if (!path.ends_with("/_bulk")) return std::nullopt;
  path.remove_suffix(std::string_view("/_bulk").size());
  if (path.empty()) return std::string();
  if (path.find('/', 1) != std::string_view::npos) return std::nullopt;
  return wire::http::percent_decoded(path.substr(1), false);
}

bool is_json(std::string_view content_type) {
  std::string type = base::to_lower(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  return type == "application/x-ndjson" || type == "application/json" ||
         type == "application/vnd.elasticsearch+x-ndjson" || type == "application/vnd.elasticsearch+json";
}

wire::http::DecoderLimits limits_for(std::size_t max_body) {
  wire::http::DecoderLimits limits;
  limits.max_body = max_body;
  return limits;
}

}  // namespace

HttpServer::HttpServer(Options options)
    : options_(std::move(options)), decoder_(wire::http::Decoder::Side::requests, limits_for(options_.max_body)) {}

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
      answer(status, wire::bulk::error_answer({"decoding_exception", decoder_.error_detail()}, status));
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
    id_ = item.id.empty() ? std::string() : fmt::format("{}/{}", item.index, item.id);
    return Event{Event::Kind::event, given_, item.document, id_, item.operation == wire::bulk::Operation::index,
                 item.refused()};
  }
  if (!std::exchange(complete_, true)) return Event{Event::Kind::window_complete, count};
  return std::nullopt;
}

void HttpServer::take(const wire::http::Message& request) {
  keep_alive_ = request.keep_alive;
  head_ = request.method == "HEAD";
  const wire::http::Target target = wire::http::parse_target(request.target);
  if (options_.status >= 300)
    return answer(options_.status, wire::bulk::error_answer({"sink", std::string(asked_to)}, options_.status));
  if (options_.status != 0) return answer(options_.status, "{}");
  if (request.method != "POST" && request.method != "PUT") return answer_other(request, target.path);
  if (options_.bulk)
    take_bulk(request, target);
  else
    take_lines(request);
}

void HttpServer::answer_other(const wire::http::Message& request, std::string_view path) {
  const bool reads = head_ || request.method == "GET";
  if (reads && (!options_.bulk || path == "/"))
    return answer(200, R"({"name":"windlass-sink","version":{"number":"8.0.0"},"tagline":"You Know, for Search"})");
  if (options_.bulk && !index_in(path)) return answer_no_handler(request);
  const std::string text = fmt::format("Incorrect HTTP method for uri [{}] and method [{}], allowed: [POST, PUT]",
                                       request.target, request.method);
  answer(405, wire::bulk::error_answer(text, 405), {{"Allow", "POST,PUT"}});
}

void HttpServer::answer_no_handler(const wire::http::Message& request) {
  answer(400, wire::bulk::error_answer(
                  fmt::format("no handler found for uri [{}] and method [{}]", request.target, request.method), 400));
}

void HttpServer::take_bulk(const wire::http::Message& request, const wire::http::Target& target) {
  const auto index = index_in(target.path);
  if (!index) return answer_no_handler(request);
  if (const std::string_view type = request.field("Content-Type"); !is_json(type))
    return answer(406, wire::bulk::error_answer(fmt::format("Content-Type header [{}] is not supported", type), 406));
  std::string_view filter;
  for (const auto& [name, value] : target.parameters) {
    if (name == "filter_path") filter = value;
    if (std::ranges::find(bulk_parameters, name) != std::end(bulk_parameters)) continue;
    const std::string text = fmt::format("request [{}] contains unrecognized parameter: [{}]", target.path, name);
    return answer(400, wire::bulk::error_answer({illegal_argument, text}, 400));
  }
  wire::bulk::Error problem;
  auto items = wire::bulk::read_request(request.body.view(), *index, problem);
  if (!items) return answer(400, wire::bulk::error_answer(problem, 400));
  items_ = std::move(*items);
  for (wire::bulk::Item& item : items_) check(item);
  filter_ = wire::bulk::AnswerFilter(filter);
  open();
}

/// What it would find for the index that it goes to.
void HttpServer::check(wire::bulk::Item& item) const {
  const auto is_one_of = [&](const std::vector<std::string>& patterns) {
    return std::ranges::any_of(patterns, [&](const auto& pattern) { return wire::bulk::matches(pattern, item.index); });
  };
  if (item.refused()) return;
  const bool data_stream = is_one_of(options_.data_streams);
  if (data_stream && item.operation != wire::bulk::Operation::create)
    item.refuse(400, illegal_argument, "only write ops with an op_type of create are allowed in data streams");
  else if (is_one_of(options_.blocked))
    item.refuse(403, "cluster_block_exception",
                fmt::format("index [{}] blocked by: [FORBIDDEN/8/index write (api)];", item.index));
  else if (data_stream && !item.has_timestamp)
    item.refuse(400, "document_parsing_exception",
                "failed to parse: data stream timestamp field [@timestamp] is missing");
}

void HttpServer::take_lines(const wire::http::Message& request) {
  items_.clear();
  if (!read_lines(request))
    return answer(400, wire::bulk::error_answer({illegal_argument, "expected JSON, as lines or as an array"}, 400));
  if (items_.empty()) return answer(200, "{}");
  open();
}

void HttpServer::open() {
  open_ = true;
  begun_ = complete_ = false;
  given_ = 0;
}

bool HttpServer::read_lines(const wire::http::Message& request) {
  std::string_view body = request.body.view();
  if (request.field("Content-Type") == "application/json") {
    elements_.clear();
    if (!wire::bulk::read_array(body, elements_)) return false;
    for (const std::string& element : elements_) items_.push_back({.document = element});
    return true;
  }
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    if (end > 0) items_.push_back({.document = body.substr(0, end)});
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
  wire::bulk::encode_answer(items_, filter_, body_);
  answer(200, body_.view());
}

void HttpServer::refuse(Refusal refusal) {
  WINDLASS_ASSERT(open_ && given_ > 0);
  wire::bulk::Item& item = items_[given_ - 1];
  switch (refusal) {
    case Refusal::duplicate:
      item.refuse(409, "version_conflict_engine_exception",
                  fmt::format("[{}]: version conflict, document already exists (current version [1])", item.id));
      break;
    case Refusal::rejected:
      item.refuse(400, "document_parsing_exception", std::string(asked_to));
      break;
    case Refusal::throttled:
      item.refuse(429, "es_rejected_execution_exception", std::string(asked_to));
      break;
    case Refusal::failed:
      item.refuse(500, "illegal_state_exception", std::string(asked_to));
      break;
  }
}

void HttpServer::replaced() {
  WINDLASS_ASSERT(open_ && given_ > 0);
  items_[given_ - 1].status = 200;
}

void HttpServer::answer(unsigned status, std::string_view body, wire::http::Fields fields) {
  fields.emplace_back("Content-Type", "application/json");
  fields.emplace_back("X-Elastic-Product", "Elasticsearch");  // who is no Elasticsearch is refused by its clients
  wire::http::encode_response(status, fields, body, keep_alive_, output_, !head_);
  finished_ = !keep_alive_;
}

}  // namespace windlass::protocol
