// The receiving side of HTTP: requests, whatever a peer sends, in any pieces; the events and the answers are those of
// the whole.
//
// Input: lines and arrays, or _bulk (a byte, modulo 2); cuts; what the peer sends.
#include <string>
#include <vector>

#include <windlass/error.h>

#include "input.h"
#include "protocol/http_server.h"

namespace {

using windlass::fuzz::Input;
using windlass::fuzz::require;
using windlass::protocol::HttpServer;

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

struct Outcome {
  std::vector<std::string> events;
  std::string answers;
  bool failed = false;
  bool too_large = false;
  bool finished = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome serve(bool bulk, std::string_view bytes, const std::vector<std::uint8_t>& cuts) {
  using Event = HttpServer::Event;
  HttpServer server({.bulk = bulk, .data_streams = {"s*"}, .blocked = {"b*d"}, .max_body = 4000});
  Outcome outcome;
  std::uint32_t count = 0, seen = 0;
  const auto work = [&] {
    while (auto event = server.poll()) {
      switch (event->kind) {
        case Event::Kind::window_begun:
          count = event->number;
          seen = 0;
          require(count > 0 && server.oldest_count() == count, "a window has events");
          break;
        case Event::Kind::event:
          require(event->number == ++seen && seen <= count, "events are numbered in their order");
          outcome.events.push_back(std::string(event->payload) + '|' + std::string(event->id));
          if (event->refused || !bulk) break;
          if (seen % 2 == 0)
            server.refuse(HttpServer::Refusal::throttled);
          else if (event->replaces)
            server.replaced();
          break;
        case Event::Kind::window_complete:
          require(event->number == count && seen == count, "a window ends when it is complete");
          server.ack(count);
          require(server.pending() == 0, "a window that is acknowledged is answered");
          break;
      }
    }
    // Who has sent the body already is not told to go on.
    if (server.output().view() != go_on) outcome.answers += server.output().view();
    server.output().clear();
    require(static_cast<bool>(server.error()) <= !server.error_detail().empty(), "an error needs its explanation");
    return !server.error() && !server.finished();
  };
  windlass::fuzz::in_pieces(bytes, cuts, [&](std::string_view piece) {
    server.receive(piece);
    return work();
  });
  outcome.failed = static_cast<bool>(server.error());
  outcome.too_large = server.error() == windlass::errc::too_large;
  outcome.finished = server.finished();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const bool bulk = input.byte() % 2 == 1;
  const auto cuts = input.cuts();
  const Outcome in_pieces = serve(bulk, input.rest(), cuts);
  const Outcome whole = serve(bulk, input.rest(), {});
  // Where a limit is passed depends on the pieces, by some bytes.
  if (in_pieces.too_large || whole.too_large) return 0;
  // Beast looks at a header that came in pieces only once it is complete, so what is wrong with it may show later.
  require(in_pieces.events == whole.events, "cuts change what requests say");
  require(in_pieces.failed <= whole.failed, "cuts break what is whole");
  if (!whole.failed) require(in_pieces == whole, "cuts change what is answered");
  return 0;
}
