#include "net/transport.h"

#include <cstring>
#include <utility>

#include "base/assert.h"

namespace windlass::net {

using boost::asio::ip::tcp;

tcp::endpoint to_endpoint(const SocketAddress& address) {
  tcp::endpoint endpoint;
  WINDLASS_ASSERT(address.size() <= endpoint.capacity());
  std::memcpy(endpoint.data(), address.data(), address.size());
  endpoint.resize(address.size());
  return endpoint;
}

SocketAddress to_address(const tcp::endpoint& endpoint) {
  return SocketAddress(endpoint.data(), static_cast<socklen_t>(endpoint.size()));
}

Transport::Transport(Socket socket, std::shared_ptr<void> slot) : socket_(std::move(socket)), slot_(std::move(slot)) {
  // A peer that is gone already makes these fail; the first read tells.
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(Socket::keep_alive(true), ignored);
}

void Transport::secure(const TlsContext& context, const std::string& server_name) {
  tls_ = std::make_unique<TlsSession>(context, socket_.native_handle(), server_name);
}

void Transport::close() noexcept {
  if (!socket_.is_open()) return;
  if (tls_) tls_->shutdown();
  boost::system::error_code ignored;
  socket_.close(ignored);
  slot_.reset();
}

void Transport::abort() noexcept {
  boost::system::error_code ignored;
  socket_.set_option(Socket::linger(true, 0), ignored);
  socket_.close(ignored);
  slot_.reset();
}

}  // namespace windlass::net
