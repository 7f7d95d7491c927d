#include "runtime/http_conversations.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/text.h"
#include "protocol/http_client.h"
#include "runtime/endpoint_workers.h"
#include "wire/http.h"

namespace windlass::runtime {
namespace {

using protocol::HttpClient;

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;
constexpr std::uint16_t elasticsearch_port = 9200;

std::string query_of(const HttpRequestOptions& request) {
  std::string query;
  for (const auto& [name, value] : request.parameters)
    query += fmt::format("{}{}={}", query.empty() ? "?" : "&", wire::http::percent_encoded(name),
                         wire::http::percent_encoded(value));
  return query;
}

std::string authorization(const HttpRequestOptions& request) {
  const std::array given{!request.username.empty(), !request.bearer_token.empty(), !request.api_key.empty()};
  if (std::ranges::count(given, true) > 1)
    throw std::invalid_argument("expected one of username, bearer token and API key, not several");
  if (given[0]) return "Basic " + wire::http::base64(request.username + ':' + request.password);
  if (given[1]) return "Bearer " + request.bearer_token;
  if (given[2]) return "ApiKey " + wire::http::base64(request.api_key);
  return {};
}

/// Where all connections send to, but for the host.
HttpClient::Options client_options(const HttpRequestOptions& request, std::string_view suffix) {
  check_compression_level(request.compression_level);
  HttpClient::Options options;
  options.compression_level = request.compression_level;
  std::string path = request.path;
  while (path.ends_with('/') && !suffix.empty()) path.pop_back();
  if (!path.starts_with('/') && !path.empty()) path.insert(0, "/");
  path += suffix;
  if (path.empty()) path = "/";
  if (std::ranges::any_of(path, [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    throw std::invalid_argument("expected a path without blanks; write %20 for one");
  options.target = path + query_of(request);
  const std::string credentials = authorization(request);
  if (!wire::http::is_field_value(credentials))
    throw std::invalid_argument("expected credentials without control characters");
  options.fields = {{"User-Agent", "windlass"}, {"Accept-Encoding", "gzip"}};
  if (!credentials.empty()) options.fields.emplace_back("Authorization", credentials);
  for (const auto& [name, value] : request.headers) {
    if (!wire::http::is_field_name(name) || !wire::http::is_field_value(value))
      throw std::invalid_argument(fmt::format("the header \"{}\" cannot be sent", name));
    // One that we would send as well is the user's.
    std::erase_if(options.fields,
                  [&name = name](const auto& field) { return base::equal_in_any_case(field.first, name); });
    options.fields.emplace_back(name, value);
  }
  return options;
}

/// The field that names the host.
std::pair<std::string, std::string> host_field(const net::HostPort& host, std::uint16_t usual_port) {
  std::string name = net::to_string(host);
  if (host.port == usual_port) name.resize(name.rfind(':'));
  return {"Host", name};
}

using MakePayload = std::function<std::unique_ptr<protocol::HttpPayload>()>;

ConversationFactory make_conversations(HttpClient::Options options, const net::HostPort& host, std::uint16_t usual_port,
                                       MakePayload payload) {
  options.fields.insert(options.fields.begin(), host_field(host, usual_port));
  return [options = std::make_shared<const HttpClient::Options>(std::move(options)), payload = std::move(payload),
          memory = std::make_shared<protocol::HttpMemory>()] {
    return std::make_unique<HttpClient>(options, payload(), memory);
  };
}

}  // namespace

std::uint16_t default_port(const HttpOptions& options) {
  return options.tls ? https_port : http_port;
}

std::uint16_t default_port(const ElasticsearchOptions&) {
  return elasticsearch_port;
}

ConversationFactory conversations(const HttpOptions& options, const net::HostPort& host) {
  const bool array = options.format == HttpOptions::Format::array;
  return make_conversations(client_options(options.request, {}), host, default_port(options),
                            [array] { return std::make_unique<protocol::JsonPayload>(array); });
}

ConversationFactory conversations(const ElasticsearchOptions& options, const net::HostPort& host) {
  using Operation = wire::bulk::Operation;
  HttpRequestOptions request = options.request;
  request.parameters.emplace_back("filter_path", "errors,items.*.status,items.*.error");
  if (!options.pipeline.empty()) request.parameters.emplace_back("pipeline", options.pipeline);
  const protocol::BulkPayload::Options payload{
      options.operation == ElasticsearchOptions::Operation::create ? Operation::create : Operation::index,
      wire::bulk::IndexName(options.index), options.forbidden == ElasticsearchOptions::Forbidden::reject};
  return make_conversations(client_options(request, "/_bulk"), host, options.tls ? https_port : http_port,
                            [payload] { return std::make_unique<protocol::BulkPayload>(payload); });
}

std::unique_ptr<protocol::HttpGreeting> greeting(const ElasticsearchOptions& options, const net::HostPort& host) {
  HttpRequestOptions request = options.request;
  request.parameters.clear();  // those of _bulk would be refused
  HttpClient::Options client = client_options(request, "/");
  client.fields.insert(client.fields.begin(), host_field(host, options.tls ? https_port : http_port));
  return std::make_unique<protocol::HttpGreeting>(std::move(client.target), std::move(client.fields));
}

}  // namespace windlass::runtime
