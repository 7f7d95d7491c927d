// A Redis client that hears anything, in any pieces: it concludes the same as from the whole, and never more than it
// sent.
//
// Input: the data type (a byte, modulo 3), past the handshake or not (a byte, modulo 2); how many batches are open (a
// byte, modulo 8); the events of each (a byte each); cuts; what the peer says.
#include <memory>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "input.h"
#include "protocol/redis_client.h"

namespace {

using windlass::fuzz::Input;
using windlass::fuzz::require;
using windlass::protocol::RedisClient;

struct Outcome {
  std::vector<std::uint32_t> acked;  // of each batch, from its beginning
  std::vector<std::vector<windlass::PublishResult::Unpublished>> rest;
  std::string error;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

windlass::Batch batch_of(std::uint32_t count) {
  auto buffer = std::make_shared<windlass::EventBuffer>();
  for (std::uint32_t i = 0; i < count; ++i) buffer->append("{}");
  return windlass::Batch(std::move(buffer));
}

Outcome hear(windlass::RedisDataType type, bool greeted, const std::vector<std::uint32_t>& counts,
             std::string_view bytes, const std::vector<std::uint8_t>& cuts) {
  RedisClient client({.data_type = type, .key = "key"});
  client.start();
  if (greeted) {
    require(!client.receive("+PONG\r\n") && client.ready(), "the handshake is done");
    for (std::size_t i = 0; i < counts.size(); ++i) client.send(i, batch_of(counts[i]));
  }
  Outcome outcome;
  outcome.acked.resize(counts.size());
  outcome.rest.resize(counts.size());
  std::size_t done = 0;
  windlass::fuzz::in_pieces(bytes, cuts, [&](std::string_view piece) {
    const std::error_code error = client.receive(piece);
    require(error == client.error() && static_cast<bool>(error) != client.error_detail().empty(),
            "an error needs its reason");
    while (auto event = client.poll()) {
      if (event->kind == RedisClient::Event::Kind::alive) continue;
      require(event->token == done && done < counts.size(), "replies belong to the oldest batch");
      if (event->kind == RedisClient::Event::Kind::progress) {
        require(event->count > outcome.acked[done] && event->count < counts[done], "progress must be progress");
        outcome.acked[done] = event->count;
        continue;
      }
      require(event->count == counts[done] && event->result.rest_from == windlass::PublishResult::none, "done is all");
      require(event->result.rest.empty() == !event->result.error, "what is handed back has a reason");
      std::uint32_t next = outcome.acked[done];
      for (const auto& unpublished : event->result.rest) {
        require(unpublished.index >= next && unpublished.index < counts[done], "each event once, and in order");
        next = unpublished.index + 1;
      }
      outcome.acked[done] = event->result.rest.empty() ? counts[done] : event->result.rest.front().index;
      outcome.rest[done++] = std::move(event->result.rest);
    }
    require(!greeted || client.pending() == counts.size() - done, "pending batches are those that are not done");
    return !error;
  });
  outcome.error = client.error_detail();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const auto type = static_cast<windlass::RedisDataType>(input.byte() % 3);
  const bool greeted = input.byte() % 2 == 0;
  std::vector<std::uint32_t> counts(input.byte() % 8);
  for (std::uint32_t& count : counts) count = input.byte() + 1u;
  const auto cuts = input.cuts();
  require(hear(type, greeted, counts, input.rest(), cuts) == hear(type, greeted, counts, input.rest(), {}),
          "cuts change what replies say");
  return 0;
}
