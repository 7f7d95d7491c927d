// An HTTP client that hears anything, in any pieces: it concludes the same as from the whole, and takes nothing for
// success that does not say so.
//
// Input: what is sent, lines or _bulk (a byte, modulo 2); its events (a byte); how it ends, closed or not (a byte,
// modulo 2); cuts; what the peer says.
#include <memory>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "input.h"
#include "protocol/http_client.h"

namespace {

using windlass::fuzz::Input;
using windlass::fuzz::require;
using windlass::protocol::HttpClient;
using Event = HttpClient::Event;

struct Outcome {
  std::vector<std::pair<Event::Kind, windlass::PublishResult>> answers;
  bool failed = false;
  bool too_large = false;
  bool finished = false;
};

windlass::Batch batch_of(std::uint32_t count) {
  auto buffer = std::make_shared<windlass::EventBuffer>();
  for (std::uint32_t i = 0; i < count; ++i) buffer->append("{}");
  return windlass::Batch(std::move(buffer));
}

std::unique_ptr<windlass::protocol::HttpPayload> payload_of(bool bulk) {
  using namespace windlass;
  if (!bulk) return std::make_unique<protocol::JsonPayload>(false);
  return std::make_unique<protocol::BulkPayload>(
      protocol::BulkPayload::Options{wire::bulk::Operation::create, wire::bulk::IndexName("i"), false});
}

Outcome hear(bool bulk, std::uint32_t count, bool ends, std::string_view bytes, const std::vector<std::uint8_t>& cuts) {
  auto options = std::make_shared<HttpClient::Options>();
  options->limits = {.max_header = 1000, .max_body = 4000, .max_inflated = 8000};
  HttpClient client(options, payload_of(bulk), std::make_shared<windlass::protocol::HttpMemory>());
  client.send(1, batch_of(count));
  Outcome outcome;
  const auto proceed = [&](std::error_code error) {
    require(static_cast<bool>(error) != client.error_detail().empty(), "an error needs its explanation");
    outcome.failed = static_cast<bool>(error);
    outcome.too_large = error == windlass::errc::too_large;
    while (auto event = client.poll()) {
      if (event->kind == Event::Kind::alive) continue;
      require(event->token == 1 && outcome.answers.empty(), "a batch has one answer");
      for (const auto& unpublished : event->result.rest)
        require(unpublished.index < count && unpublished.index < event->result.rest_from && unpublished.why,
                "single events are of the batch, each with its reason");
      outcome.answers.emplace_back(event->kind, event->result);
    }
    client.output().clear();
    return !error && !client.finished();
  };
  windlass::fuzz::in_pieces(bytes, cuts, [&](std::string_view piece) { return proceed(client.receive(piece)); });
  if (ends && !outcome.failed && !client.finished()) {
    const std::error_code error = client.receive_end(windlass::errc::connection_lost);
    outcome.failed = static_cast<bool>(error);
    while (auto event = client.poll())
      if (event->kind != Event::Kind::alive) outcome.answers.emplace_back(event->kind, event->result);
  }
  outcome.finished = client.finished();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const bool bulk = input.byte() % 2 == 1;
  const std::uint32_t count = input.byte() % 8 + 1u;
  const bool ends = input.byte() % 2 == 1;
  const auto cuts = input.cuts();
  const Outcome in_pieces = hear(bulk, count, ends, input.rest(), cuts);
  const Outcome whole = hear(bulk, count, ends, input.rest(), {});
  // Where a limit is passed depends on the pieces, by some bytes.
  if (in_pieces.too_large || whole.too_large) return 0;
  // Beast looks at a header that came in pieces only once it is complete, so what is wrong with it may show later.
  require(in_pieces.answers == whole.answers, "cuts change what answers say");
  require(in_pieces.failed <= whole.failed, "cuts break what is whole");
  return 0;
}
