// A Lumberjack server that hears anything, in any pieces, beside a plain reading of the whole in one go.
//
// Input: how many windows may be open (a byte, modulo 4, plus 1); cuts; what the peer says.
#include <optional>
#include <string>
#include <vector>
#include <zlib.h>

#include <windlass/error.h>

#include "input.h"
#include "protocol/lumberjack_server.h"

namespace {

using windlass::fuzz::Input;
using windlass::fuzz::require;
using windlass::protocol::LumberjackServer;
using windlass::wire::lumberjack::DecoderLimits;

constexpr DecoderLimits limits = {
    .max_window_events = 1000, .max_frame_bytes = 8'000, .max_compressed_bytes = 16'000, .max_inflated_bytes = 100'000};

// How a reading ended.
enum class End {
  fine,     // between frames, or inside one
  broken,   // at something that no client may say
  unknown,  // inside compressed data that zlib does not read to its end: how much of it counts is not for us to say
};

class Reader {
 public:
  std::vector<std::string> events;

  End read(std::string_view bytes, bool compressed = false) {
    while (!bytes.empty()) {
      if (bytes[0] != '2') return End::broken;
      if (bytes.size() < 2) return inside_a_frame(compressed);
      const char type = bytes[1];
      if (type != 'J' && (compressed || (type != 'W' && type != 'C'))) return End::broken;
      const auto number = take_number(bytes, 2);
      if (!number) return inside_a_frame(compressed);
      if (type == 'W') {
        if (*number > limits.max_window_events || left_ > 0) return End::broken;
        left_ = *number;
        expected_.reset();
        bytes.remove_prefix(6);
      } else if (type == 'C') {
        if (*number > limits.max_compressed_bytes) return End::broken;
        const bool whole = bytes.size() - 6 >= *number;
        const auto inflated = inflate(bytes.substr(6, *number));
        if (!whole || !inflated) return End::unknown;
        if (left_ == 0) return End::broken;
        if (read(*inflated, true) == End::broken) return End::broken;
        bytes.remove_prefix(6 + *number);
      } else {
        const auto length = take_number(bytes, 6);
        if (length && *length > limits.max_frame_bytes) return End::broken;
        if (!length || bytes.size() - 10 < *length) return inside_a_frame(compressed);
        if (left_ == 0 || (expected_ && *number != *expected_)) return End::broken;
        --left_;
        expected_ = *number + 1;
        events.emplace_back(bytes.substr(10, *length));
        bytes.remove_prefix(10 + *length);
      }
    }
    return End::fine;
  }

 private:
  // More may come from the peer, but not out of a compressed frame that is complete.
  static End inside_a_frame(bool compressed) { return compressed ? End::broken : End::fine; }
  static std::optional<std::uint32_t> take_number(std::string_view bytes, std::size_t at) {
    if (bytes.size() < at + 4) return std::nullopt;
    std::uint32_t number = 0;
    for (const char byte : bytes.substr(at, 4)) number = number << 8 | static_cast<std::uint8_t>(byte);
    return number;
  }
  // What a stream without anything behind it inflates to, when it keeps to the limit.
  static std::optional<std::string> inflate(std::string_view stream) {
    std::string bytes(limits.max_inflated_bytes, '\0');
    uLongf made = bytes.size();
    uLong used = stream.size();
    if (uncompress2(reinterpret_cast<Bytef*>(bytes.data()), &made, reinterpret_cast<const Bytef*>(stream.data()),
                    &used) != Z_OK ||
        used != stream.size())
      return std::nullopt;
    bytes.resize(made);
    return bytes;
  }

  std::uint32_t left_ = 0;                 // events of the window that are still to come
  std::optional<std::uint32_t> expected_;  // the number of the next one
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::size_t max_pending_windows = input.byte() % 4 + 1u;
  const auto cuts = input.cuts();

  LumberjackServer server({.decoder = limits, .max_pending_windows = max_pending_windows});
  std::vector<std::string> events;
  std::vector<std::uint32_t> complete;  // windows without an ack
  windlass::fuzz::in_pieces(input.rest(), cuts, [&](std::string_view piece) {
    require(server.wants_input(), "the server stopped reading");
    if (server.receive(piece)) return false;
    std::uint32_t seen = 0;
    for (;;) {
      const auto event = server.poll();
      if (!event) {
        if (complete.empty()) break;
        for (const std::uint32_t count : complete) server.ack(count);
        complete.clear();
        continue;
      }
      switch (event->kind) {
        case LumberjackServer::Event::Kind::window_begun:
          require(event->number > 0 && event->number <= limits.max_window_events, "a window beyond the limit");
          require(server.pending() <= max_pending_windows, "too many windows");
          break;
        case LumberjackServer::Event::Kind::event:
          require(event->payload.size() <= limits.max_frame_bytes, "an event beyond the limit");
          require(seen == 0 || event->number == 1 || event->number == seen + 1, "an event out of its place");
          seen = event->number;
          events.emplace_back(event->payload);
          break;
        case LumberjackServer::Event::Kind::window_complete:
          complete.push_back(event->number);
          break;
      }
    }
    server.output().clear();
    return !server.error();
  });
  require(server.error_detail().empty() == !server.error(), "an error needs its reason");

  Reader reader;
  const End end = reader.read(input.rest());
  if (end == End::unknown) {
    require(events.size() >= reader.events.size(), "events before the compressed frame are missing");
    events.resize(reader.events.size());
  } else {
    require((end == End::broken) == static_cast<bool>(server.error()), "one reading is broken, the other is not");
  }
  require(events == reader.events, "the two readings differ");
  return 0;
}
