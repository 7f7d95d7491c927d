#include "net/connector.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"
#include "net/handshake.h"
#include "net/transport.h"
#include "net/tunnel.h"

namespace windlass::net {
namespace {

using Clock = std::chrono::steady_clock;

// An address gets at least this much of what is left, so that many addresses do not starve each other.
constexpr std::chrono::nanoseconds least_share = std::chrono::milliseconds(500);
constexpr std::chrono::nanoseconds longest_timeout = std::chrono::hours(24);
// Addresses whose failure the final text tells of.
constexpr std::size_t max_failures_in_text = 8;

}  // namespace

/// One connect. Each operation under way holds a reference; those of an earlier step know themselves by its number.
class Connector::Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(boost::asio::io_context& context, std::shared_ptr<const Options> options, Callback callback)
      : context_(context),
        options_(std::move(options)),
        callback_(std::move(callback)),
        timer_(context),
        socket_(context) {}

  void start(Resolver& resolver, std::chrono::nanoseconds timeout) {
    timeout_ = std::clamp(timeout, std::chrono::nanoseconds(0), longest_timeout);
    deadline_ = Clock::now() + timeout_;
    limit_step(timeout_,
               [this] { finish(errc::timeout, looking_up() + ": no answer within " + in_seconds(timeout_)); });
    // A proxy looks names up itself, unless it is not to.
    if (!options_->proxy || options_->proxy->resolve_here)
      look_up(resolver, options_->to);
    else
      look_up(resolver, options_->proxy->at);
  }

  bool done() const noexcept { return !callback_; }

  void cancel() noexcept {
    callback_ = nullptr;
    release();
  }

 private:
  std::string looking_up() const { return "looking up " + looked_up_; }

  void look_up(Resolver& resolver, const HostPort& name) {
    looked_up_ = name.host;
    const bool of_target = options_->proxy && options_->proxy->resolve_here && targets_.empty();
    lookup_ =
        resolver.look_up(name, [self = shared_from_this(), &resolver, of_target](auto error, const auto& addresses) {
          if (error) return self->finish(error, self->looking_up() + ": " + error.message());
          if (!of_target) return self->resolved(addresses);
          for (const SocketAddress& address : addresses)
            self->targets_.push_back(parse_host_port(to_string(address), self->options_->to.port));
          self->look_up(resolver, self->options_->proxy->at);
        });
  }

  /// A new step begins: calls `expired` unless another one begins within `limit`.
  template <class Expired>
  void limit_step(std::chrono::nanoseconds limit, Expired expired) {
    timer_.expires_after(limit);
    timer_.async_wait([self = shared_from_this(), step = ++step_, expired](boost::system::error_code error) {
      if (!error && self->is_current(step)) expired();
    });
  }
  bool is_current(unsigned step) const noexcept { return step == step_ && !done(); }

  void resolved(const std::vector<SocketAddress>& addresses) {
    if (targets_.empty()) targets_.push_back(options_->to);
    for (const SocketAddress& address : addresses)
      for (const HostPort& target : targets_)
        if (ways_.size() < Resolver::max_addresses) ways_.push_back({address, target});
    if (options_->observer) options_->observer->on_resolved(addresses);
    try_next_way();
  }

  void try_next_way() {
    const std::chrono::nanoseconds left = deadline_ - Clock::now();
    const std::size_t candidates = ways_.size() - next_;
    if (candidates == 0) return finish(last_error_, failures_);
    if (left.count() <= 0) return finish(errc::timeout, failures_ + "; no time for further addresses");
    share_ = std::min(left, std::max(left / static_cast<std::int64_t>(candidates), least_share));
    share_ends_ = Clock::now() + share_;
    address_ = ways_[next_].address;
    target_ = ways_[next_++].target;
    doing_ = (options_->proxy ? "connecting the proxy " : "connecting ") + to_string(address_);
    limit_step(share_, [this] { not_connected(errc::timeout, "no answer within " + in_seconds(share_)); });
    socket_ = Socket(context_);
    socket_.async_connect(to_endpoint(address_),
                          [self = shared_from_this(), step = step_](boost::system::error_code error) {
                            if (self->is_current(step)) self->connected(error);
                          });
  }

  void connected(std::error_code error) {
    if (error) return not_connected(error, error.message());
    auto transport = std::make_unique<Transport>(std::exchange(socket_, Socket(context_)));
    ++step_;  // the connect's time limit is over
    if (!options_->proxy) return reached(std::move(transport));
    doing_ = "connecting " + to_string(target_) + " by the proxy " + to_string(address_);
    tunnel_ = std::make_shared<Tunnel>(std::move(transport), conversation_with(*options_->proxy, target_),
                                       [self = shared_from_this()](auto failure, auto why, auto connected) {
                                         self->tunnel_.reset();
                                         if (failure) return self->address_failed(failure, why);
                                         self->reached(std::move(connected));
                                       });
    tunnel_->start(share_left());
  }

  /// A proxy that cannot be reached leads to no other target either.
  void not_connected(std::error_code error, const std::string& why) {
    while (options_->proxy && next_ < ways_.size() && ways_[next_].address == address_)
      ways_.erase(ways_.begin() + static_cast<std::ptrdiff_t>(next_));
    address_failed(error, why);
  }

  std::chrono::nanoseconds share_left() const {
    return std::max<std::chrono::nanoseconds>(share_ends_ - Clock::now(), std::chrono::nanoseconds(0));
  }

  /// The target is at the other end.
  void reached(std::unique_ptr<Transport> transport) {
    if (options_->observer) options_->observer->on_connected(address_);
    if (!options_->tls) return succeeded(std::move(transport));
    doing_ = "TLS handshake with " +
             (options_->proxy ? to_string(target_) + " by the proxy " + to_string(address_) : to_string(address_));
    transport->secure(*options_->tls, options_->server_name.empty() ? options_->to.host : options_->server_name);
    handshake_ = std::make_shared<Handshake>(
        std::move(transport), [self = shared_from_this()](auto failure, auto why, auto secured) {
          self->handshake_.reset();
          if (failure) return self->address_failed(failure, why);
          if (self->options_->observer) self->options_->observer->on_secured(self->address_, secured->tls()->info());
          self->succeeded(std::move(secured));
        });
    handshake_->start(share_left());
  }

  void address_failed(std::error_code error, const std::string& why) {
    const std::string detail = doing_ + ": " + why;
    if (next_ <= max_failures_in_text) failures_ += (failures_.empty() ? "" : "; ") + detail;
    last_error_ = error;
    if (options_->observer) options_->observer->on_address_failed(address_, detail);
    try_next_way();
  }

  void succeeded(std::unique_ptr<Transport> transport) {
    finish({}, {}, std::make_unique<Stream>(std::move(transport)));
  }

  void finish(std::error_code error, std::string detail, std::unique_ptr<Stream> stream = nullptr) {
    const Callback callback = std::exchange(callback_, nullptr);
    release();
    callback(error, std::move(detail), std::move(stream));
  }

  void release() noexcept {
    lookup_.abandon();
    timer_.cancel();
    if (const auto tunnel = std::exchange(tunnel_, nullptr)) tunnel->cancel();
    if (const auto handshake = std::exchange(handshake_, nullptr)) handshake->cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  boost::asio::io_context& context_;
  const std::shared_ptr<const Options> options_;
  Callback callback_;  // empty: finished or cancelled
  boost::asio::steady_timer timer_;
  unsigned step_ = 0;
  std::chrono::nanoseconds timeout_{0};
  Clock::time_point deadline_;

  Resolver::Lookup lookup_;
  std::string looked_up_;
  std::vector<HostPort> targets_;  // as a proxy is told them
  /// One after another: addresses to connect to, each with what is asked of a proxy there.
  struct Way {
    SocketAddress address;
    HostPort target;
  };
  std::vector<Way> ways_;
  std::size_t next_ = 0;  // in ways_

  SocketAddress address_;  // the way that is tried
  HostPort target_;
  std::chrono::nanoseconds share_{0};
  Clock::time_point share_ends_;
  Socket socket_;
  std::shared_ptr<Tunnel> tunnel_;
  std::shared_ptr<Handshake> handshake_;
  std::string doing_;

  std::error_code last_error_;
  std::string failures_;
};

Connector::Connector(boost::asio::io_context& context, Resolver& resolver, Options options)
    : context_(context), resolver_(resolver), options_(std::make_shared<const Options>(std::move(options))) {}

Connector::~Connector() {
  cancel();
}

void Connector::connect(std::chrono::nanoseconds timeout, Callback callback) {
  WINDLASS_ASSERT(!connecting());
  attempt_ = std::make_shared<Attempt>(context_, options_, std::move(callback));
  attempt_->start(resolver_, timeout);
}

bool Connector::connecting() const noexcept {
  return attempt_ && !attempt_->done();
}

void Connector::cancel() noexcept {
  if (const auto attempt = std::exchange(attempt_, nullptr)) attempt->cancel();
}

}  // namespace windlass::net
