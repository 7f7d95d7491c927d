#include "app/sink_connection.h"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <utility>

#include <windlass/error.h>

namespace windlass::app {
namespace {

constexpr base::Duration patience_at_end = std::chrono::seconds(5);

}  // namespace

base::Time steady_now() {
  return base::Time(std::chrono::steady_clock::now().time_since_epoch());
}

SinkConnection::SinkConnection(boost::asio::io_context& context, SinkConnectionOwner& owner,
                               std::unique_ptr<net::Stream> stream, const SinkFaults& faults, Recorder* recorder,
                               SinkCounters& counters)
    : owner_(owner),
      stream_(std::move(stream)),
      close_by_reset_(faults.reset),
      counters_(counters),
      conversation_(faults, recorder, counters, steady_now()),
      timer_(context) {}

void SinkConnection::start() {
  spdlog::debug("{}: connected", stream_->peer_endpoint());
  stream_->start(*this);
  proceed(steady_now());
}

void SinkConnection::on_received(std::string_view bytes) {
  const auto self = shared_from_this();
  const base::Time now = steady_now();
  conversation_.receive(bytes, now);
  proceed(now);
}

std::uint64_t SinkConnection::take(std::uint64_t most, base::Time now) {
  const auto self = shared_from_this();
  waiting_ = false;
  const std::uint64_t taken = conversation_.take(most, now);
  proceed(now);
  return taken;
}

void SinkConnection::stop(base::Time now) {
  const auto self = shared_from_this();
  conversation_.stop(now);
  proceed(now);
}

/// What every step ends with: answers go out, reading goes on or rests, the timer is set.
void SinkConnection::proceed(base::Time now) {
  if (gone_) return;
  if (conversation_.has_more() && !std::exchange(waiting_, true)) owner_.on_has_more(shared_from_this());
  if (conversation_.wants_input()) {
    stream_->resume_reading();
  } else {
    stream_->pause_reading();
  }
  if (conversation_.finished() && last_chance_ == base::never) last_chance_ = base::after(now, patience_at_end);
  arm(std::min(conversation_.next_timeout(), last_chance_), now);
  send_or_finish();
}

void SinkConnection::send_or_finish() {
  if (stream_->sending()) return;
  if (!conversation_.output().empty()) return stream_->send(conversation_.output());
  if (conversation_.finished()) finish();
}

void SinkConnection::on_sent() {
  const auto self = shared_from_this();
  proceed(steady_now());
}

void SinkConnection::finish() {
  using End = SinkConversation::End;
  const std::string& peer = stream_->peer_endpoint();
  bool by_reset = false;
  switch (conversation_.end()) {
    case End::none:
    case End::stopped:
    case End::not_recorded:
      break;
    case End::fault:
      spdlog::info("{}: closed, as the sink was asked to", peer);
      by_reset = close_by_reset_;
      break;
    case End::protocol_error:
      ++counters_.protocol_errors;
      spdlog::warn("{}: closed, as it breaks the protocol: {}", peer, conversation_.error_detail());
      break;
    case End::idle:
      ++counters_.idle_closes;
      spdlog::info("{}: closed, as it said nothing for {} s{}", peer,
                   std::chrono::duration_cast<std::chrono::seconds>(SinkConversation::idle_limit).count(),
                   conversation_.inside_window() ? " inside a window" : "");
      break;
  }
  if (by_reset) {
    stream_->abort();
  } else {
    stream_->close();
  }
  gone();
}

void SinkConnection::close() {
  const auto self = shared_from_this();
  stream_->close();
  gone();
}

void SinkConnection::on_closed(std::error_code error) {
  const auto self = shared_from_this();
  if (error != errc::connection_lost) {
    spdlog::info("{}: connection lost: {}", stream_->peer_endpoint(), error.message());
  } else if (conversation_.inside_window()) {
    spdlog::info("{}: the peer closed the connection while a window was open", stream_->peer_endpoint());
  } else {
    spdlog::debug("{}: the peer closed the connection", stream_->peer_endpoint());
  }
  gone();
}

void SinkConnection::gone() {
  if (std::exchange(gone_, true)) return;
  timer_.cancel();
  owner_.on_gone(*this);
}

void SinkConnection::arm(base::Time at, base::Time now) {
  if (at >= armed_for_) return;
  armed_for_ = at;
  timer_.expires_after(std::max(base::Duration(0), at - now));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->on_timer();
  });
}

void SinkConnection::on_timer() {
  if (gone_) return;
  armed_for_ = base::never;
  const base::Time now = steady_now();
  if (now >= last_chance_) return finish();
  conversation_.handle_timeout(now);
  proceed(now);
}

}  // namespace windlass::app
