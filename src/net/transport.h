// A connected socket with or without TLS: what streams and handshakes work on.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "net/address.h"
#include "net/io_result.h"
#include "net/tls_session.h"

namespace windlass::net {

using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

boost::asio::ip::tcp::endpoint to_endpoint(const SocketAddress& address);
SocketAddress to_address(const boost::asio::ip::tcp::endpoint& endpoint);

class Transport {
 public:
  /// Sets the socket's options. `slot` is released when the transport closes.
  explicit Transport(Socket socket, std::shared_ptr<void> slot = nullptr);
  ~Transport() { close(); }
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// From here on it speaks TLS: handshake first.
  void secure(const TlsContext& context, const std::string& server_name);
  TlsSession* tls() noexcept { return tls_.get(); }

  IoResult read(char* to, std::size_t count) {
    return tls_ ? tls_->read(to, count) : receive_some(socket_.native_handle(), to, count);
  }
  IoResult write(std::string_view bytes) {
    return tls_ ? tls_->write(bytes) : send_some(socket_.native_handle(), bytes);
  }
  /// Whether more may be at hand after a read that left room, without the socket being readable.
  bool holds_bytes_back() const noexcept { return tls_ != nullptr; }

  void close() noexcept;
  /// Closes with RST.
  void abort() noexcept;

  Socket& socket() noexcept { return socket_; }

 private:
  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
  std::shared_ptr<void> slot_;
};

/// Calls `then`, with an error when the socket is closed, once what wanted to read or to write may be tried again.
template <class Then>
void wait_until_ready(Socket& socket, IoResult::Status wanted, Then then) {
  socket.async_wait(wanted == IoResult::Status::want_write ? Socket::wait_write : Socket::wait_read, std::move(then));
}

}  // namespace windlass::net
