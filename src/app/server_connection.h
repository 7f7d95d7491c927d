// One connection of a server: a stream, a conversation, and the time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "app/conversation.h"
#include "base/time.h"
#include "net/stream.h"

namespace windlass::app {

/// The steady clock, as conversations want it.
base::Time steady_now();

class ServerConnection;

/// What connections share. Everything comes from the io_context's thread.
class ConnectionOwner {
 public:
  /// There are events to take: take() is to be called, now or soon.
  virtual void on_has_more(const std::shared_ptr<ServerConnection>& connection) = 0;
  /// The connection is closed. Called once; the owner may let go of it.
  virtual void on_gone(ServerConnection& connection) = 0;

 protected:
  ~ConnectionOwner() = default;
};

class ServerConnection final : public net::Stream::Handler, public std::enable_shared_from_this<ServerConnection> {
 public:
  /// `context` and `owner` must outlive the connection. Nothing happens before start().
  ServerConnection(boost::asio::io_context& context, ConnectionOwner& owner, std::unique_ptr<net::Stream> stream,
                   std::unique_ptr<Conversation> conversation);

  void start();
  /// Takes at most `most` events, as far as there are any; returns how many. To be called after on_has_more.
  std::uint64_t take(std::uint64_t most, base::Time now);
  bool has_more() const { return stream_->is_open() && conversation_->has_more(); }

  /// To be called when the conversation was told something by somebody else: answers go out, reading goes on or rests.
  void proceed(base::Time now);
  Conversation& conversation() { return *conversation_; }
  const std::string& peer() const { return stream_->peer_endpoint(); }

  /// Takes nothing more, answers what was taken, closes.
  void stop(base::Time now);
  /// Closes at once.
  void close();

 private:
  void on_received(std::string_view bytes) override;
  void on_sent() override;
  void on_closed(std::error_code error) override;

  void send_or_finish();
  void finish();
  void gone();
  void arm(base::Time at, base::Time now);
  void on_timer();

  ConnectionOwner& owner_;
  const std::unique_ptr<net::Stream> stream_;
  const std::unique_ptr<Conversation> conversation_;
  boost::asio::steady_timer timer_;
  base::Time armed_for_ = base::never;    // rung earlier than needed, it is armed again
  base::Time last_chance_ = base::never;  // for the peer to take its last answers
  bool waiting_ = false;                  // the owner knows that there is more
  bool gone_ = false;
};

}  // namespace windlass::app
