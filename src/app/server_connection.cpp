#include "app/server_connection.h"

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

ServerConnection::ServerConnection(boost::asio::io_context& context, ConnectionOwner& owner,
                                   std::unique_ptr<net::Stream> stream, std::unique_ptr<Conversation> conversation)
    : owner_(owner), stream_(std::move(stream)), conversation_(std::move(conversation)), timer_(context) {}

void ServerConnection::start() {
  spdlog::debug("{}: connected", peer());
  stream_->start(*this);
  proceed(steady_now());
}

void ServerConnection::on_received(std::string_view bytes) {
  const auto self = shared_from_this();
  const base::Time now = steady_now();
  conversation_->receive(bytes, now);
  proceed(now);
}

std::uint64_t ServerConnection::take(std::uint64_t most, base::Time now) {
  const auto self = shared_from_this();
  waiting_ = false;
  if (!has_more()) return 0;
  const std::uint64_t taken = conversation_->take(most, now);
  proceed(now);
  return taken;
}

void ServerConnection::stop(base::Time now) {
  const auto self = shared_from_this();
  conversation_->stop(now);
  proceed(now);
}

/// What every step ends with: answers go out, reading goes on or rests, the timer is set.
void ServerConnection::proceed(base::Time now) {
  if (gone_) return;
  const auto self = shared_from_this();
  if (conversation_->has_more() && !std::exchange(waiting_, true)) owner_.on_has_more(shared_from_this());
  if (conversation_->wants_input()) {
    stream_->resume_reading();
  } else {
    stream_->pause_reading();
  }
  if (conversation_->finished() && last_chance_ == base::never) last_chance_ = base::after(now, patience_at_end);
  arm(std::min(conversation_->next_timeout(), last_chance_), now);
  send_or_finish();
}

void ServerConnection::send_or_finish() {
  if (stream_->sending()) return;
  if (!conversation_->output().empty()) return stream_->send(conversation_->output());
  if (conversation_->finished()) finish();
}

void ServerConnection::on_sent() {
  proceed(steady_now());
}

void ServerConnection::finish() {
  const Conversation::Farewell farewell = conversation_->farewell();
  if (!farewell.why.empty())
    spdlog::log(farewell.is_warning ? spdlog::level::warn : spdlog::level::info, "{}: closed, as {}", peer(),
                farewell.why);
  if (farewell.by_reset) {
    stream_->abort();
  } else {
    stream_->close();
  }
  gone();
}

void ServerConnection::close() {
  const auto self = shared_from_this();
  stream_->close();
  gone();
}

void ServerConnection::on_closed(std::error_code error) {
  const auto self = shared_from_this();
  if (error != errc::connection_lost) {
    spdlog::info("{}: connection lost: {}", peer(), error.message());
  } else if (conversation_->busy()) {
    spdlog::info("{}: the peer closed the connection while something was open", peer());
  } else {
    spdlog::debug("{}: the peer closed the connection", peer());
  }
  gone();
}

void ServerConnection::gone() {
  if (std::exchange(gone_, true)) return;
  timer_.cancel();
  owner_.on_gone(*this);
}

void ServerConnection::arm(base::Time at, base::Time now) {
  if (at >= armed_for_) return;
  armed_for_ = at;
  timer_.expires_after(std::max(base::Duration(0), at - now));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->on_timer();
  });
}

void ServerConnection::on_timer() {
  if (gone_) return;
  armed_for_ = base::never;
  const base::Time now = steady_now();
  if (now >= last_chance_) return finish();
  conversation_->handle_timeout(now);
  proceed(now);
}

}  // namespace windlass::app
