#include "protocol/http_greeting.h"

#include <algorithm>
#include <fmt/format.h>
#include <simdjson.h>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"

namespace windlass::protocol {
namespace {

constexpr std::size_t longest_shown = 300;
constexpr std::size_t longest_version = 40;

/// " by OpenSearch 2.19.6"; empty when the answer does not say so.
std::string server_in(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element answer;
  std::string_view number, distribution;
  if (body.empty() || parser.parse(body.data(), body.size()).get(answer) ||
      answer.at_pointer("/version/number").get_string().get(number))
    return {};
  const bool plain = std::ranges::all_of(number, [](char c) { return c > ' ' && c <= '~'; });
  if (!plain || number.size() > longest_version) return {};
  const bool open =
      !answer.at_pointer("/version/distribution").get_string().get(distribution) && distribution == "opensearch";
  return fmt::format(" by {} {}", open ? "OpenSearch" : "Elasticsearch", number);
}

}  // namespace

HttpGreeting::HttpGreeting(std::string target, wire::http::Fields fields)
    : target_(std::move(target)), fields_(std::move(fields)), decoder_(wire::http::Decoder::Side::responses, {}) {}

void HttpGreeting::start() {
  wire::http::encode_request("GET", target_, fields_, {}, output_);
}

void HttpGreeting::send(std::uint64_t, const Batch&) {
  WINDLASS_ASSERT(false);
}

std::error_code HttpGreeting::receive(std::string_view bytes) {
  decoder_.feed(bytes);
  const wire::http::Message* answer = decoder_.next();
  while (answer != nullptr && answer->status < 200) answer = decoder_.next();
  if (decoder_.error()) {
    error_detail_ = decoder_.error_detail();
    return decoder_.error();
  }
  if (answer == nullptr || ready()) return {};
  const unsigned status = answer->status;
  fine_ = status < 300;
  said_ = fmt::format("GET {} is answered {} {}", target_, status, answer->reason);
  if (fine_) {
    said_ += server_in(answer->body.view());
    return {};
  }
  if (status != 401 && status != 429 && status < 500) return {};
  error_detail_ = fmt::format("{}: {}", said_, answer->body.view().substr(0, longest_shown));
  return status == 401 ? errc::denied : errc::temporary;
}

}  // namespace windlass::protocol
