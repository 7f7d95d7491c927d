// A Lumberjack client that hears anything, in any pieces, beside a second reading of the acks in one go.
//
// Input: how many windows are open (a byte); the events of each (a byte each); cuts; what the peer says.
#include <memory>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "input.h"
#include "protocol/lumberjack_client.h"

namespace {

using windlass::fuzz::Input;
using windlass::fuzz::require;
using windlass::protocol::LumberjackClient;

// What the peer is understood to have said.
struct Reading {
  std::vector<std::uint32_t> acked;  // of each window
  bool alive = false;                // said so, apart from acks that count
  bool broken = false;
  friend bool operator==(const Reading&, const Reading&) = default;
};

Reading read(std::string_view bytes, const std::vector<std::uint32_t>& counts) {
  Reading reading;
  reading.acked.resize(counts.size());
  std::size_t oldest = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 6) {
    const std::string_view frame = bytes.substr(at, 6);
    reading.broken = frame[0] != '2' || (frame.size() > 1 && frame[1] != 'A');
    if (reading.broken || frame.size() < 6) break;
    std::uint32_t sequence = 0;
    for (const char byte : frame.substr(2)) sequence = sequence << 8 | static_cast<std::uint8_t>(byte);
    if (sequence == 0 || (oldest < counts.size() && sequence <= reading.acked[oldest])) {
      reading.alive = true;
    } else if (oldest == counts.size() || sequence > counts[oldest]) {
      reading.broken = true;
      break;
    } else {
      reading.acked[oldest] = sequence;
      if (sequence == counts[oldest]) ++oldest;
    }
  }
  return reading;
}

windlass::Batch batch_of(std::uint32_t count) {
  auto buffer = std::make_shared<windlass::EventBuffer>();
  for (std::uint32_t i = 0; i < count; ++i) buffer->append("{}");
  return windlass::Batch(std::move(buffer));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  LumberjackClient client({.compression_level = 0});
  std::vector<std::uint32_t> counts(input.byte() % 8);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = input.byte() + 1u;
    client.send(i, batch_of(counts[i]));
  }
  const auto cuts = input.cuts();

  Reading reading;
  reading.acked.resize(counts.size());
  std::size_t done = 0;
  windlass::fuzz::in_pieces(input.rest(), cuts, [&](std::string_view piece) {
    reading.broken = static_cast<bool>(client.receive(piece));
    require(client.error() == (reading.broken ? windlass::errc::protocol_error : std::error_code()), "odd error");
    require(client.error_detail().empty() == !reading.broken, "an error needs its reason");
    while (const auto event = client.poll()) {
      if (event->kind == LumberjackClient::Event::Kind::alive) {
        reading.alive = true;
        continue;
      }
      require(event->token == done, "acks belong to the oldest window");
      require(event->count > reading.acked[done], "progress must be progress");
      reading.acked[done] = event->count;
      require((event->kind == LumberjackClient::Event::Kind::done) == (event->count == counts[done]), "done is all");
      if (event->count == counts[done]) ++done;
    }
    require(client.pending() == counts.size() - done, "pending windows are those that are not done");
    return !reading.broken;
  });
  require(reading == read(input.rest(), counts), "the two readings differ");
  return 0;
}
