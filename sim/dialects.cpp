#include "dialects.h"

#include <fmt/format.h>
#include <string>
#include <utility>

#include <windlass/redis.h>

#include "protocol/http_server.h"
#include "protocol/lumberjack_client.h"
#include "protocol/lumberjack_server.h"
#include "protocol/redis_client.h"
#include "protocol/redis_server.h"
#include "violation.h"

namespace windlass::sim {
namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::string_view begin_of_bytes = R"("e":")";

std::string json_of(std::string_view event) {
  std::string text = fmt::format(R"({{"@metadata":{{"_id":"{}"}},{})", number_of(event), begin_of_bytes);
  for (const char byte : event) {
    text += digits[static_cast<unsigned char>(byte) >> 4];
    text += digits[static_cast<unsigned char>(byte) & 15];
  }
  return text + R"("})";
}

}  // namespace

Dialect::Dialect(const Scenario& scenario)
    : scenario_(scenario), protocol_(static_cast<Protocol>(scenario.count(&Scenario::protocol))) {
  protocol::HttpClient::Options options;
  options.target = protocol_ == Protocol::elasticsearch ? "/_bulk" : "/";
  options.fields = {{"Host", "h"}};
  options.compression_level = static_cast<int>(scenario.compression);
  http_options_ = std::make_shared<const protocol::HttpClient::Options>(std::move(options));
}

std::unique_ptr<protocol::ClientConversation> Dialect::make_client() {
  using namespace protocol;
  const auto over_http = [&](std::unique_ptr<HttpPayload> payload) {
    return std::make_unique<HttpClient>(http_options_, std::move(payload), http_memory_);
  };
  switch (protocol_) {
    case Protocol::lumberjack:
      break;
    case Protocol::redis: {
      RedisClient::Options options;
      options.data_type = scenario_.seed % 2 == 0 ? RedisDataType::list : RedisDataType::stream;
      options.key = "k";
      return std::make_unique<RedisClient>(options);
    }
    case Protocol::http:
      return over_http(std::make_unique<JsonPayload>(scenario_.seed % 2 == 0));
    case Protocol::elasticsearch:
      return over_http(std::make_unique<BulkPayload>(
          BulkPayload::Options{wire::bulk::Operation::create, wire::bulk::IndexName("i"), false}));
  }
  return std::make_unique<LumberjackClient>(LumberjackClient::Options{static_cast<int>(scenario_.compression)});
}

std::unique_ptr<protocol::ServerConversation> Dialect::make_server() const {
  using namespace protocol;
  if (protocol_ == Protocol::redis) return std::make_unique<RedisServer>();
  if (!is_http()) return std::make_unique<LumberjackServer>();
  HttpServer::Options options;
  options.bulk = protocol_ == Protocol::elasticsearch;
  return std::make_unique<HttpServer>(options);
}

Batch Dialect::dressed(const Batch& batch) const {
  if (!is_http()) return batch;
  auto buffer = std::make_shared<EventBuffer>();
  for (const std::string_view event : batch) buffer->append(json_of(event));
  return Batch(std::move(buffer));
}

EventNumber Dialect::undressed(std::string_view payload) const {
  if (!is_http()) return expect_whole(payload);
  const auto begin = payload.find(begin_of_bytes);
  if (begin == std::string_view::npos || !payload.ends_with("\"}"))
    throw Violation("an event stays as it is", fmt::format("one became {}", payload));
  payload = payload.substr(begin + begin_of_bytes.size());
  payload.remove_suffix(2);
  std::string event;
  for (std::size_t place = 0; place + 1 < payload.size(); place += 2)
    event += static_cast<char>(digits.find(payload[place]) << 4 | digits.find(payload[place + 1]));
  return expect_whole(event);
}

}  // namespace windlass::sim
