// HTTP client and server talk to each other, over a line that cuts bytes as it likes.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "base/random.h"
#include "protocol/http_client.h"
#include "protocol/http_server.h"
#include "wire/lumberjack_bytes.h"

namespace windlass::protocol {
namespace {

enum class Body { lines, array, bulk };

std::unique_ptr<HttpPayload> payload_of(Body body) {
  if (body != Body::bulk) return std::make_unique<JsonPayload>(body == Body::array);
  return std::make_unique<BulkPayload>(
      BulkPayload::Options{wire::bulk::Operation::create, wire::bulk::IndexName("i"), false});
}

std::string event_of(unsigned number, std::size_t size) {
  return fmt::format(R"({{"n":{},"x":"{}","@metadata":{{"_id":"{}"}}}})", number, std::string(size, 'x'), number);
}

// What a server of this body gets of the event.
std::string received_as(Body body, unsigned number, std::size_t size) {
  if (body != Body::bulk) return event_of(number, size);
  return fmt::format(R"({{"n":{},"x":"{}"}})", number, std::string(size, 'x'));
}

RC_GTEST_PROP(HttpConversation, TellsOfEachEventWhatBecameOfIt, ()) {
  const auto body = *rc::gen::element(Body::lines, Body::array, Body::bulk);
  const auto sizes = *rc::gen::noShrink(rc::gen::resize(
      12, rc::gen::container<std::vector<std::vector<std::uint16_t>>>(rc::gen::nonEmpty(
              rc::gen::container<std::vector<std::uint16_t>>(rc::gen::inRange<std::uint16_t>(0, 3000))))));
  const int level = *rc::gen::inRange(0, 4);
  base::Random chance(*rc::gen::arbitrary<std::uint64_t>());

  auto options = std::make_shared<HttpClient::Options>();
  options->target = "/_bulk";
  options->compression_level = level;
  HttpClient client(options, payload_of(body), std::make_shared<HttpMemory>());
  HttpServer server({.bulk = body == Body::bulk});
  const auto carry = [&](base::ByteQueue& from, std::size_t most) {
    std::string bytes(from.view().substr(0, most));
    from.consume(bytes.size());
    return bytes;
  };

  unsigned number = 0;
  for (const auto& batch : sizes) {
    std::vector<std::string> events, expected, received;
    for (const std::size_t size : batch) {
      expected.push_back(received_as(body, number, size));
      events.push_back(event_of(number++, size));
    }
    client.send(number, test::batch_of(events));
    std::map<std::uint32_t, std::error_code> refused;
    std::optional<PublishResult> result;
    for (int round = 0; !result; ++round) {
      RC_ASSERT(round < 100'000);
      if (server.wants_input()) RC_ASSERT(!server.receive(carry(client.output(), 1 + chance.below(3000))));
      while (const auto event = server.poll()) {
        if (event->kind == HttpServer::Event::Kind::window_complete) server.ack(event->number);
        if (event->kind != HttpServer::Event::Kind::event) continue;
        received.emplace_back(event->payload);
        if (body != Body::bulk) continue;
        RC_ASSERT(event->id == fmt::format("i/{}", number - batch.size() + event->number - 1));
        switch (chance.below(4)) {
          case 0:
            server.refuse(HttpServer::Refusal::duplicate);
            break;
          case 1:
            server.refuse(HttpServer::Refusal::rejected);
            refused[event->number - 1] = errc::rejected;
            break;
          case 2:
            server.refuse(HttpServer::Refusal::throttled);
            refused[event->number - 1] = errc::throttled;
            break;
        }
      }
      RC_ASSERT(!client.receive(carry(server.output(), 1 + chance.below(500))));
      while (auto event = client.poll())
        if (event->kind == HttpClient::Event::Kind::done) result = event->result;
    }
    RC_ASSERT(received == expected);
    RC_ASSERT(result->rest_from == PublishResult::none);
    RC_ASSERT(result->rest.size() == refused.size());
    for (const auto& unpublished : result->rest) {
      RC_ASSERT(refused.at(unpublished.index) == unpublished.why);
      RC_ASSERT(!unpublished.detail.empty());
    }
  }
}

}  // namespace
}  // namespace windlass::protocol
