// What Elasticsearch's _bulk answers, read by simdjson, beside a plain second reading by Boost.JSON: what the first
// takes for an answer, the second does, too, with the same statuses.
//
// Input: the body of an answer.
#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "input.h"
#include "wire/bulk.h"

namespace {

namespace json = boost::json;
using windlass::fuzz::require;

std::optional<std::vector<unsigned>> plainly_read(std::string_view body) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 2000;
  const json::value whole = json::parse(json::string_view(body.data(), body.size()), error, {}, options);
  if (error || !whole.is_object() || !whole.as_object().contains("items")) return std::nullopt;
  const json::value& items = whole.as_object().at("items");
  if (!items.is_array()) return std::nullopt;
  std::vector<unsigned> statuses;
  for (const json::value& item : items.as_array()) {
    if (!item.is_object() || item.as_object().size() != 1) return std::nullopt;
    const json::value& action = item.as_object().begin()->value();
    if (!action.is_object() || !action.as_object().contains("status")) return std::nullopt;
    const json::value& status = action.as_object().at("status");
    if (!status.is_int64() || status.as_int64() < 200 || status.as_int64() > 599) return std::nullopt;
    statuses.push_back(static_cast<unsigned>(status.as_int64()));
  }
  return statuses;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto results = windlass::wire::bulk::read_answer(body);
  if (!results) return 0;
  std::vector<unsigned> statuses;
  for (const auto& result : *results) {
    require(result.error.empty() || result.status >= 300, "what is fine has no error");
    require(result.error.size() < 600, "an error is not too long");
    statuses.push_back(result.status);
  }
  require(plainly_read(body) == statuses, "two readings of an answer differ");
  return 0;
}
