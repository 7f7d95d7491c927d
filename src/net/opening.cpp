#include "net/opening.h"

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

Opening::Opening(std::unique_ptr<Transport> transport, const char* late, Callback callback)
    : transport_(std::move(transport)),
      late_(late),
      callback_(std::move(callback)),
      timer_(transport_->socket().get_executor()) {}

void Opening::start(std::chrono::nanoseconds timeout) {
  timer_.expires_after(timeout);
  timer_.async_wait([self = shared_from_this(), timeout](boost::system::error_code error) {
    if (!error) self->finish(errc::timeout, self->late_ + (" within " + in_seconds(timeout)));
  });
  boost::asio::post(transport_->socket().get_executor(), [self = shared_from_this()] { self->go_on(); });
}

void Opening::cancel() noexcept {
  callback_ = nullptr;
  timer_.cancel();
  transport_.reset();
}

void Opening::go_on() {
  if (callback_) step();
}

void Opening::wait_for(IoResult::Status wanted) {
  wait_until_ready(transport_->socket(), wanted,
                   [self = shared_from_this()](boost::system::error_code) { self->go_on(); });
}

void Opening::finish(std::error_code error, std::string why) {
  if (!callback_) return;
  const Callback callback = std::exchange(callback_, nullptr);
  timer_.cancel();
  std::unique_ptr<Transport> transport = std::move(transport_);
  if (error) transport.reset();
  callback(error, std::move(why), std::move(transport));
}

}  // namespace windlass::net
