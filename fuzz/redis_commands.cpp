// A Redis server that hears anything, in any pieces: it takes and answers the same as from the whole, within its
// limits.
//
// Input: how many windows may be open (a byte, modulo 4, plus 1); cuts; what the peer says.
#include <string>
#include <vector>

#include <windlass/error.h>

#include "input.h"
#include "protocol/redis_server.h"

namespace {

using windlass::fuzz::Input;
using windlass::fuzz::require;
using windlass::protocol::RedisServer;

struct Outcome {
  std::vector<std::string> events;
  std::string said;
  std::string error;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome hear(std::size_t most_windows, std::string_view bytes, const std::vector<std::uint8_t>& cuts) {
  RedisServer server({.decoder = {.max_line_bytes = 64, .max_bulk_bytes = 8'000, .max_elements = 1000, .max_depth = 1},
                      .max_pending_windows = most_windows});
  Outcome outcome;
  std::vector<std::uint32_t> complete;  // windows without an ack
  std::uint32_t begun = 0;
  std::uint32_t seen = 0;
  windlass::fuzz::in_pieces(bytes, cuts, [&](std::string_view piece) {
    require(server.wants_input(), "the server stopped reading");
    server.receive(piece);
    for (;;) {
      const auto event = server.poll();
      if (!event) {
        if (complete.empty()) break;
        for (const std::uint32_t count : complete) {
          require(server.oldest_count() == count, "windows are answered in their order");
          server.ack(count);
        }
        complete.clear();
        continue;
      }
      using Kind = RedisServer::Event::Kind;
      if (event->kind == Kind::window_begun) {
        require(begun == 0 && event->number > 0 && event->number <= 1000, "a window begins after the last one's end");
        begun = event->number;
        seen = 0;
      } else if (event->kind == Kind::event) {
        require(begun > 0 && event->number == ++seen && seen <= begun, "events are counted");
        outcome.events.emplace_back(event->payload);
      } else {
        require(event->number == begun && seen == begun, "a window is complete with its last event");
        complete.push_back(std::exchange(begun, 0u));
      }
      require(server.pending() <= most_windows, "too many windows");
    }
    outcome.said += server.output().view();
    server.output().clear();
    return !server.error() && !server.finished();
  });
  outcome.error = server.error_detail();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::size_t most_windows = input.byte() % 4 + 1u;
  const auto cuts = input.cuts();
  // A read is 64 KiB at most, so that what is said in return stays below what is held.
  const std::string_view bytes = input.rest().substr(0, 8'000);
  require(hear(most_windows, bytes, cuts) == hear(most_windows, bytes, {}), "cuts change what commands say");
  return 0;
}
