#include "net/handshake.h"

#include <boost/asio/post.hpp>
#include <cstdio>
#include <utility>

#include <windlass/error.h>

namespace windlass::net {

std::string in_seconds(std::chrono::nanoseconds duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g s", std::chrono::duration<double>(duration).count());
  return text;
}

Handshake::Handshake(std::unique_ptr<Transport> transport, Callback callback)
    : transport_(std::move(transport)), callback_(std::move(callback)), timer_(transport_->socket().get_executor()) {}

void Handshake::start(std::chrono::nanoseconds timeout) {
  timer_.expires_after(timeout);
  timer_.async_wait([self = shared_from_this(), timeout](boost::system::error_code error) {
    if (!error) self->finish(errc::timeout, "not finished within " + in_seconds(timeout));
  });
  boost::asio::post(transport_->socket().get_executor(), [self = shared_from_this()] { self->step(); });
}

void Handshake::cancel() noexcept {
  callback_ = nullptr;
  timer_.cancel();
  transport_.reset();
}

void Handshake::step() {
  if (!callback_) return;
  const IoResult result = transport_->tls()->handshake();
  switch (result.status) {
    case IoResult::Status::done:
      return finish({}, {});
    case IoResult::Status::ended:
      return finish(errc::connection_lost, "the peer closed the connection");
    case IoResult::Status::failed:
      return finish(result.error, transport_->tls()->explain(result.error));
    case IoResult::Status::want_read:
    case IoResult::Status::want_write:
      return wait_until_ready(transport_->socket(), result.status,
                              [self = shared_from_this()](boost::system::error_code) { self->step(); });
  }
}

void Handshake::finish(std::error_code error, std::string why) {
  if (!callback_) return;
  const Callback callback = std::exchange(callback_, nullptr);
  timer_.cancel();
  std::unique_ptr<Transport> transport = std::move(transport_);
  if (error) transport.reset();
  callback(error, std::move(why), std::move(transport));
}

}  // namespace windlass::net
