#include "protocol/http_payload.h"

#include <algorithm>
#include <fmt/format.h>

namespace windlass::protocol {

std::string_view JsonPayload::add(std::string_view event, base::WallTime, base::ByteQueue& body) {
  if (array_) body.append(body.empty() ? "[" : ",");
  const std::size_t begin = body.size();
  body.append(event);
  // JSON has newlines between its tokens only.
  if (!array_) std::replace(body.data() + begin, body.data() + body.size(), '\n', ' ');
  if (!array_) body.append("\n");
  return {};
}

void JsonPayload::finish(base::ByteQueue& body) {
  if (array_) body.append("]");
}

BulkPayload::BulkPayload(const Options& options)
    : operation_(options.operation),
      reject_forbidden_(options.reject_forbidden),
      encoder_(options.operation, options.index) {}

std::string_view BulkPayload::add(std::string_view event, base::WallTime now, base::ByteQueue& body) {
  return encoder_.add(event, now, body);
}

std::string BulkPayload::read_answer(std::string_view body, const std::vector<std::uint32_t>& sent,
                                     std::vector<PublishResult::Unpublished>& rest) {
  auto results = wire::bulk::read_answer(body);
  if (!results) return "no answer of _bulk, with items that have a status";
  if (results->size() != sent.size())
    return fmt::format("an answer of _bulk for {} items, to {}", results->size(), sent.size());
  for (std::size_t index = 0; index < sent.size(); ++index) {
    auto& [status, error] = (*results)[index];
    if (status < 300 || (status == 409 && operation_ == wire::bulk::Operation::create)) continue;
    errc why = errc::rejected;
    if (status == 429)
      why = errc::throttled;
    else if (status >= 500 || status == 401 || (status == 403 && !reject_forbidden_))
      why = errc::temporary;
    rest.push_back({sent[index], why, fmt::format("{} {}", status, error.empty() ? "without a reason" : error)});
  }
  return {};
}

}  // namespace windlass::protocol
