#include "net/tunnel.h"

#include <array>
#include <boost/asio/post.hpp>
#include <utility>

#include <windlass/error.h>

#include "net/handshake.h"

namespace windlass::net {

Tunnel::Tunnel(std::unique_ptr<Transport> transport, protocol::ProxyClient conversation, Callback callback)
    : transport_(std::move(transport)),
      conversation_(std::move(conversation)),
      callback_(std::move(callback)),
      timer_(transport_->socket().get_executor()) {}

void Tunnel::start(std::chrono::nanoseconds timeout) {
  timer_.expires_after(timeout);
  timer_.async_wait([self = shared_from_this(), timeout](boost::system::error_code error) {
    if (!error) self->finish(errc::timeout, "the proxy gave no answer within " + in_seconds(timeout));
  });
  boost::asio::post(transport_->socket().get_executor(), [self = shared_from_this()] { self->step(); });
}

void Tunnel::cancel() noexcept {
  callback_ = nullptr;
  timer_.cancel();
  transport_.reset();
}

void Tunnel::step() {
  using Status = IoResult::Status;
  // The conversation has a limit to what it hears, and so has this loop.
  while (callback_) {
    std::string& output = conversation_.output();
    while (!output.empty()) {
      const IoResult sent = transport_->write(output);
      if (sent.status == Status::failed) return finish(sent.error, sent.error.message());
      if (sent.status != Status::done) return wait_for(Status::want_write);
      output.erase(0, sent.count);
    }
    // Looked at first and taken only as far as it is the proxy's: what follows belongs to whoever uses the tunnel.
    std::array<char, 4096> bytes;
    const IoResult got = peek_some(transport_->socket().native_handle(), bytes.data(), bytes.size());
    if (got.status == Status::ended) return finish(errc::connection_lost, "the proxy closed the connection");
    if (got.status == Status::failed) return finish(got.error, got.error.message());
    if (got.status != Status::done) return wait_for(Status::want_read);
    const std::size_t taken = conversation_.receive({bytes.data(), got.count});
    const IoResult consumed = transport_->read(bytes.data(), taken);
    if (consumed.status == Status::failed) return finish(consumed.error, consumed.error.message());
    if (conversation_.error()) return finish(conversation_.error(), conversation_.error_detail());
    if (conversation_.done()) return finish({}, {});
  }
}

void Tunnel::wait_for(IoResult::Status wanted) {
  wait_until_ready(transport_->socket(), wanted,
                   [self = shared_from_this()](boost::system::error_code) { self->step(); });
}

void Tunnel::finish(std::error_code error, std::string why) {
  if (!callback_) return;
  const Callback callback = std::exchange(callback_, nullptr);
  timer_.cancel();
  std::unique_ptr<Transport> transport = std::move(transport_);
  if (error) transport.reset();
  callback(error, std::move(why), std::move(transport));
}

}  // namespace windlass::net
