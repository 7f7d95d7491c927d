#include "app/output.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

#include <windlass/elasticsearch.h>
#include <windlass/file.h>
#include <windlass/http.h>
#include <windlass/lumberjack.h>
#include <windlass/redis.h>

#include "base/assert.h"
#include "protocol/lumberjack_client.h"
#include "protocol/redis_client.h"
#include "runtime/http_conversations.h"

namespace windlass::app {
namespace {

using std::chrono::seconds;

constexpr OutputTraits table[] = {
    {.type = OutputType::lumberjack,
     .name = "lumberjack",
     .in_file = "logstash",
     .port = 5044,
     .tls_port = 5044,
     .bulk_max_size = 2048,
     .timeout = seconds(30),
     .loadbalance = false,
     .compression_level = 3,
     .max_bulk_size = 10'000},  // real servers refuse more in one window
    {.type = OutputType::http,
     .name = "http",
     .in_file = "http",
     .port = 80,
     .tls_port = 443,
     .bulk_max_size = 2048,
     .timeout = seconds(30),
     .loadbalance = true,
     .compression_level = 0,
     .pipelining = 2,  // one request is under way, and the next one at hand
     .user_in_url = true,
     .path_setting = "path"},
    {.type = OutputType::elasticsearch,
     .name = "elasticsearch",
     .in_file = "elasticsearch",
     .port = 9200,
     .tls_port = 9200,
     .bulk_max_size = 1600,
     .timeout = seconds(90),
     .loadbalance = true,
     .compression_level = 1,
     .pipelining = 2,
     .user_in_url = true,
     .path_setting = "path"},
    {.type = OutputType::redis,
     .name = "redis",
     .in_file = "redis",
     .port = 6379,
     .tls_port = 6379,
     .bulk_max_size = 2048,
     .timeout = seconds(5),
     .loadbalance = true,
     .compression_level = 0,
     .user_in_url = true,
     .path_setting = "db"},
    {.type = OutputType::file,
     .name = "file",
     .in_file = "file",
     .port = 0,
     .tls_port = 0,
     .bulk_max_size = 2048,
     .timeout = seconds(30),
     .loadbalance = false,
     .compression_level = 0,
     .path_setting = "filename",
     .hosts = false,
     .sink = false},
    {.type = OutputType::console,
     .name = "stdout",
     .in_file = "console",
     .port = 0,
     .tls_port = 0,
     .bulk_max_size = 2048,
     .timeout = seconds(30),
     .loadbalance = false,
     .compression_level = 0,
     .hosts = false,
     .sink = false},
};

/// What all protocols share.
template <class Options>
Options endpoint_options(const OutputConfig& output) {
  Options options;
  for (const Host& host : output.hosts) {
    EndpointHost& endpoint = options.hosts.emplace_back(net::to_string(host.address));
    endpoint.server_name = host.server_name;
    endpoint.weight = host.weight;
    endpoint.priority = host.priority;
    endpoint.rate_limit = host.rate_limit.value_or(output.rate_limit);
  }
  options.workers = output.worker;
  options.loadbalance = output.loadbalance;
  options.tls = output.tls;
  options.proxy_url = output.proxy_url;
  options.proxy_use_local_resolver = output.proxy_use_local_resolver;
  options.wait_retry = output.backoff.init;
  options.max_wait_retry = output.backoff.max;
  options.ttl = output.ttl;
  return options;
}

WorkerFactory lumberjack(const OutputConfig& output) {
  auto options = endpoint_options<LumberjackOptions>(output);
  options.compression_level = output.compression_level;
  return lumberjack_workers(std::move(options));
}

HttpRequestOptions request_of(const OutputConfig& output) {
  HttpRequestOptions request = output.request;
  request.username = output.username;
  request.password = output.password;
  request.compression_level = output.compression_level;
  return request;
}

HttpOptions http(const OutputConfig& output) {
  auto options = endpoint_options<HttpOptions>(output);
  options.request = request_of(output);
  options.format = output.format;
  return options;
}

ElasticsearchOptions elasticsearch(const OutputConfig& output) {
  auto options = endpoint_options<ElasticsearchOptions>(output);
  options.request = request_of(output);
  options.index = output.index;
  options.pipeline = output.pipeline;
  options.operation = output.operation;
  options.forbidden = output.forbidden;
  return options;
}

WorkerFactory redis(const OutputConfig& output) {
  auto options = endpoint_options<RedisOptions>(output);
  options.data_type = output.redis.data_type;
  options.key = output.redis.key;
  options.user = output.username;
  options.password = output.password;
  options.database = output.redis.database;
  return redis_workers(std::move(options));
}

WorkerFactory file(const OutputConfig& output) {
  FileOptions options = output.file;
  if (output.type == OutputType::console) options.path.assign(1, '-');
  options.wait_retry = output.backoff.init;
  options.max_wait_retry = output.backoff.max;
  return file_workers(std::move(options));
}

}  // namespace

std::span<const OutputTraits> outputs() {
  return table;
}

const OutputTraits& traits_of(OutputType type) {
  const auto found = std::ranges::find(table, type, &OutputTraits::type);
  WINDLASS_ASSERT(found != std::end(table));
  return *found;
}

const OutputTraits* find_output(std::string_view name) {
  const auto found = std::ranges::find_if(
      table, [&](const OutputTraits& output) { return output.name == name || output.in_file == name; });
  return found == std::end(table) ? nullptr : found;
}

std::string scheme_of(OutputType type, bool tls) {
  return fmt::format("{}{}", traits_of(type).name, tls ? "s" : "");
}

std::optional<Scheme> find_scheme(std::string_view name) {
  for (const OutputTraits& output : table) {
    if (name == output.name) return Scheme{&output, false};
    if (output.hosts && name == scheme_of(output.type, true)) return Scheme{&output, true};
  }
  return std::nullopt;
}

std::uint16_t default_port(OutputType type, bool tls) {
  const OutputTraits& traits = traits_of(type);
  return tls ? traits.tls_port : traits.port;
}

OutputConfig default_output(OutputType type) {
  const OutputTraits& traits = traits_of(type);
  OutputConfig output;
  output.type = type;
  output.loadbalance = traits.loadbalance;
  output.bulk_max_size = traits.bulk_max_size;
  output.compression_level = traits.compression_level;
  output.timeout = traits.timeout;
  if (type == OutputType::file) output.file.rotate_bytes = std::uint64_t{10} << 20;
  if (traits.pipelining > 0) output.pipelining = traits.pipelining;
  return output;
}

WorkerFactory workers_of(const OutputConfig& output) {
  switch (output.type) {
    case OutputType::lumberjack:
      return lumberjack(output);
    case OutputType::http:
      return http_workers(http(output));
    case OutputType::elasticsearch:
      return elasticsearch_workers(elasticsearch(output));
    case OutputType::redis:
      return redis(output);
    case OutputType::file:
    case OutputType::console:
      return file(output);
  }
  WINDLASS_ASSERT(false);
  return {};
}

std::unique_ptr<protocol::ClientConversation> conversation_of(const OutputConfig& output, const net::HostPort& host) {
  switch (output.type) {
    case OutputType::lumberjack:
      return std::make_unique<protocol::LumberjackClient>(
          protocol::LumberjackClient::Options{output.compression_level});
    case OutputType::http:
      return runtime::conversations(http(output), host)();
    case OutputType::elasticsearch:
      return runtime::conversations(elasticsearch(output), host)();
    case OutputType::redis:
      return std::make_unique<protocol::RedisClient>(protocol::RedisClient::Options{
          output.redis.data_type, output.redis.key, output.username, output.password, output.redis.database});
    case OutputType::file:
    case OutputType::console:
      break;
  }
  WINDLASS_ASSERT(false);
  return {};
}

std::unique_ptr<protocol::HttpGreeting> greeting_of(const OutputConfig& output, const net::HostPort& host) {
  if (output.type != OutputType::elasticsearch) return {};
  return runtime::greeting(elasticsearch(output), host);
}

}  // namespace windlass::app
