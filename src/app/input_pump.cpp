#include "app/input_pump.h"

#include <algorithm>
#include <cerrno>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace windlass::app {
namespace {

/// Events are handed over in pieces of about this size, which stay in the processor's cache from here to the wire.
constexpr std::size_t usual_piece_bytes = std::size_t{256} << 10;
constexpr std::size_t usual_piece_events = 1024;

}  // namespace

InputPump::InputPump(LoadBalancer& balancer, Options options)
    : balancer_(balancer),
      options_(std::move(options)),
      lines_(options_.json, options_.host),
      piece_events_(std::min(usual_piece_events, options_.max_events)),
      piece_bytes_(std::min(usual_piece_bytes, options_.max_bytes / 2)),
      wake_descriptor_(eventfd(0, EFD_CLOEXEC)) {
  if (wake_descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

InputPump::~InputPump() {
  close(wake_descriptor_);
}

void InputPump::stop() {
  stopped_.store(true);
  eventfd_write(wake_descriptor_, 1);
}

bool InputPump::run(std::vector<Input>& inputs) {
  for (Input& input : inputs)
    if (!pump(input)) return false;
  return true;
}

bool InputPump::pump(Input& input) {
  LineReader::Options reading;
  reading.offset = input.offset();
  reading.may_wait = !input.regular();
  reading.wake_descriptor = wake_descriptor_;
  LineReader reader(input.descriptor(), reading);
  lines_.begin(input.path(), input.identity());

  const std::uint64_t bytes_before = bytes_read();
  bool going_on = true;
  bool at_end = false;
  while (going_on && !at_end) {
    if (stopped_.load()) {
      going_on = false;
      break;
    }
    switch (reader.fill()) {
      case LineReader::Filled::end:
        at_end = true;
        [[fallthrough]];
      case LineReader::Filled::block:
        bytes_read_.store(bytes_before + reader.counters().bytes, std::memory_order_relaxed);
        lines_.set_time();
        going_on = take_lines(reader);
        break;
      case LineReader::Filled::interrupted:
        break;
      case LineReader::Filled::failed:
        spdlog::error("{}: {}", input.path(), reader.error().message());
        ++counters_.failed_inputs;
        at_end = true;
        break;
    }
  }
  counters_.bytes += reader.counters().bytes;
  counters_.cut_lines += reader.counters().cut_lines;
  counters_.empty_lines += reader.counters().empty_lines;
  return going_on;
}

bool InputPump::take_lines(LineReader& reader) {
  LineReader::Line line;
  while (reader.next(line)) {
    if (!lines_.encode(line, events_)) {
      ++counters_.refused_lines;
      continue;
    }
    if ((events_.bytes() >= piece_bytes_ || events_.size() >= piece_events_) && !publish()) return false;
  }
  // What a block holds is on its way before the next is waited for.
  return events_.empty() || publish();
}

bool InputPump::publish() {
  const std::size_t lines = events_.size();
  std::error_code refusal = balancer_.publish_events(std::move(events_));
  if (!refusal) counters_.lines += lines;
  if (refusal == errc::too_large) refusal = publish_one_by_one();
  if (refusal) return false;
  events_ = EventBuffer();
  events_.reserve(piece_bytes_ + piece_bytes_ / 8, piece_events_);
  return true;
}

std::error_code InputPump::publish_one_by_one() {
  for (std::size_t index = 0; index < events_.size(); ++index) {
    const std::error_code refusal = balancer_.publish_event(events_[index]);
    if (!refusal) {
      ++counters_.lines;
    } else if (refusal == errc::too_large) {
      ++counters_.refused_lines;
      spdlog::error("a line of {} bytes, as an event, is larger than the whole queue: queue.mem.bytes",
                    events_[index].size());
    } else {
      return refusal;
    }
  }
  return {};
}

}  // namespace windlass::app
