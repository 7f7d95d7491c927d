#include "protocol/lumberjack_client.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"

namespace windlass::protocol {

LumberjackClient::LumberjackClient(Options options) : encoder_(options.compression_level) {}

void LumberjackClient::send(std::uint64_t token, const Batch& batch) {
  WINDLASS_ASSERT(!error_);
  WINDLASS_ASSERT(!batch.empty());
  const auto size = static_cast<std::uint32_t>(batch.size());
  for (std::uint32_t first = 0; first < size; first += max_window) {
    const std::uint32_t count = std::min(max_window, size - first);
    encoder_.encode(count == size ? batch : batch.part(first, count), output_);
    windows_.push_back({token, first, count, first + count == size});
  }
}

std::error_code LumberjackClient::receive(std::string_view bytes) {
  while (!error_) {
    const auto sequence = decoder_.next(bytes);
    if (!sequence) break;
    on_ack(*sequence);
  }
  if (!error_ && decoder_.error()) fail(decoder_.error_detail());
  return error_;
}

void LumberjackClient::on_ack(std::uint32_t sequence) {
  if (sequence == 0) {
    alive_ = true;
    return;
  }
  if (pending() == 0) return fail(fmt::format("an ack of {} while no window is open", sequence));
  Window& window = windows_[done_];
  if (sequence > window.count) return fail(fmt::format("an ack of {} in a window of {}", sequence, window.count));
  if (sequence <= window.acked) {
    alive_ = true;
    return;
  }
  window.acked = sequence;
  if (sequence == window.count) ++done_;
}

std::optional<LumberjackClient::Event> LumberjackClient::poll() {
  if (done_ > 0) {
    const Window window = windows_.front();
    windows_.pop_front();
    --done_;
    return Event{window.last ? Event::Kind::done : Event::Kind::progress, window.token, window.first + window.count};
  }
  if (!windows_.empty() && windows_.front().acked > windows_.front().reported) {
    Window& window = windows_.front();
    window.reported = window.acked;
    return Event{Event::Kind::progress, window.token, window.first + window.acked};
  }
  if (std::exchange(alive_, false)) return Event{Event::Kind::alive};
  return std::nullopt;
}

void LumberjackClient::fail(std::string detail) {
  error_ = errc::protocol_error;
  error_detail_ = std::move(detail);
}

}  // namespace windlass::protocol
