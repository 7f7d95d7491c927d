#include "net/listener.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <netdb.h>
#include <utility>

#include "net/handshake.h"
#include "net/resolver.h"
#include "net/transport.h"

namespace windlass::net {
namespace {

using boost::asio::ip::tcp;
using Acceptor = boost::asio::basic_socket_acceptor<tcp, Executor>;

// After an accept that failed: the reason (no more files, no memory) will not be gone at once.
constexpr std::chrono::milliseconds pause_after_error{100};

[[noreturn]] void refuse(std::error_code error, const HostPort& at) {
  throw std::system_error(error, "listening on " + to_string(at));
}

SocketAddress address_of(const HostPort& at) {
  if (const auto literal = SocketAddress::from_literal(at.host, at.port)) return *literal;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(at.host.c_str(), nullptr, &hints, &found); code != 0)
    refuse(
        code == EAI_SYSTEM ? std::error_code(errno, std::system_category()) : std::error_code(code, lookup_category()),
        at);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  SocketAddress address(found->ai_addr, found->ai_addrlen);
  address.set_port(at.port);
  return address;
}

void listen(Acceptor& acceptor, const tcp::endpoint& endpoint, bool of_both_families) {
  acceptor.open(endpoint.protocol());
  acceptor.set_option(Acceptor::reuse_address(true));
  if (of_both_families) acceptor.set_option(boost::asio::ip::v6_only(false));
  acceptor.bind(endpoint);
  acceptor.listen();
}

void listen(Acceptor& acceptor, const HostPort& at) {
  try {
    if (!at.host.empty()) return listen(acceptor, to_endpoint(address_of(at)), false);
    try {
      listen(acceptor, tcp::endpoint(tcp::v6(), at.port), true);
    } catch (const boost::system::system_error& error) {
      if (error.code() != boost::asio::error::address_family_not_supported) throw;
      listen(acceptor, tcp::endpoint(tcp::v4(), at.port), false);
    }
  } catch (const boost::system::system_error& error) {
    refuse(error.code(), at);
  }
}

}  // namespace

class Listener::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& context, Options options, Accepted accepted, Failed failed)
      : options_(std::move(options)),
        accepted_(std::move(accepted)),
        failed_(std::move(failed)),
        acceptor_(context),
        pause_(context) {
    listen(acceptor_, options_.at);
    local_ = to_address(acceptor_.local_endpoint());
  }

  const SocketAddress& local() const noexcept { return local_; }

  void accept() {
    const bool is_full = connections_ >= options_.max_connections || handshakes_.size() >= options_.max_handshakes;
    if (!acceptor_.is_open() || accepting_ || is_full) return;
    accepting_ = true;
    acceptor_.async_accept([self = shared_from_this()](boost::system::error_code error, Socket socket) {
      self->accepting_ = false;
      self->on_accept(error, std::move(socket));
    });
  }

  void close() noexcept {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    for (const auto& [id, handshake] : std::exchange(handshakes_, {})) handshake->cancel();
  }

 private:
  void on_accept(std::error_code error, Socket socket) {
    if (!acceptor_.is_open()) return;
    if (error) {
      accepting_ = true;  // not before the pause is over
      pause_.expires_after(pause_after_error);
      pause_.async_wait([self = shared_from_this()](boost::system::error_code) {
        self->accepting_ = false;
        self->accept();
      });
      return failed_(error, "accepting: " + error.message());
    }
    boost::system::error_code ignored;
    if (options_.send_buffer > 0) socket.set_option(Socket::send_buffer_size(options_.send_buffer), ignored);
    auto transport = std::make_unique<Transport>(std::move(socket), take_slot());
    if (options_.tls) {
      secure(std::move(transport));
      accept();
    } else {
      accept();
      accepted_(std::make_unique<Stream>(std::move(transport)));
    }
  }

  void secure(std::unique_ptr<Transport> transport) {
    boost::system::error_code unknown;
    const auto peer = transport->socket().remote_endpoint(unknown);
    std::string doing = "TLS handshake with " + (unknown ? "an unknown peer" : to_string(to_address(peer)));
    transport->secure(*options_.tls, {});
    const std::uint64_t id = next_handshake_++;
    const auto handshake = std::make_shared<Handshake>(
        std::move(transport),
        [self = shared_from_this(), id, doing = std::move(doing)](auto error, auto why, auto secured) {
          self->handshakes_.erase(id);
          self->accept();
          if (error) return self->failed_(error, doing + ": " + why);
          self->accepted_(std::make_unique<Stream>(std::move(secured)));
        });
    handshakes_.emplace(id, handshake);
    handshake->start(options_.handshake_timeout);
  }

  /// Counts a connection until it closes, which may be after the listener is gone.
  std::shared_ptr<void> take_slot() {
    ++connections_;
    return std::shared_ptr<void>(nullptr, [listener = weak_from_this()](void*) {
      const auto self = listener.lock();
      if (!self) return;
      --self->connections_;
      self->accept();
    });
  }

  const Options options_;
  const Accepted accepted_;
  const Failed failed_;
  Acceptor acceptor_;
  boost::asio::steady_timer pause_;
  SocketAddress local_;
  bool accepting_ = false;  // an accept is under way, or the pause after one that failed
  std::size_t connections_ = 0;
  std::uint64_t next_handshake_ = 0;
  std::map<std::uint64_t, std::shared_ptr<Handshake>> handshakes_;  // under way
};

Listener::Listener(boost::asio::io_context& context, Options options, Accepted accepted, Failed failed)
    : impl_(std::make_shared<Impl>(context, std::move(options), std::move(accepted), std::move(failed))) {
  impl_->accept();
}

Listener::~Listener() {
  close();
}

const SocketAddress& Listener::local() const noexcept {
  return impl_->local();
}

void Listener::close() noexcept {
  impl_->close();
}

}  // namespace windlass::net
