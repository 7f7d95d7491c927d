// One connection of a sink: a stream, a conversation, and the time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "app/sink_conversation.h"
#include "base/time.h"
#include "net/stream.h"

namespace windlass::app {

/// The steady clock, as the conversation wants it.
base::Time steady_now();

class SinkConnection;

/// What connections share. Everything comes from the io_context's thread.
class SinkConnectionOwner {
 public:
  /// There are events to take: take() is to be called, now or soon.
  virtual void on_has_more(const std::shared_ptr<SinkConnection>& connection) = 0;
  /// The connection is closed. Called once; the owner may let go of it.
  virtual void on_gone(SinkConnection& connection) = 0;

 protected:
  ~SinkConnectionOwner() = default;
};

class SinkConnection final : public net::Stream::Handler, public std::enable_shared_from_this<SinkConnection> {
 public:
  /// All of them must outlive the connection. Nothing happens before start().
  SinkConnection(boost::asio::io_context& context, SinkConnectionOwner& owner, std::unique_ptr<net::Stream> stream,
                 const SinkFaults& faults, Recorder* recorder, SinkCounters& counters);

  void start();
  /// Takes at most `most` events; returns how many. While has_more().
  std::uint64_t take(std::uint64_t most, base::Time now);
  bool has_more() const { return stream_->is_open() && conversation_.has_more(); }

  /// Takes nothing more, answers what was taken, closes.
  void stop(base::Time now);
  /// Closes at once.
  void close();

 private:
  void on_received(std::string_view bytes) override;
  void on_sent() override;
  void on_closed(std::error_code error) override;

  void proceed(base::Time now);
  void send_or_finish();
  void finish();
  void gone();
  void arm(base::Time at, base::Time now);
  void on_timer();

  SinkConnectionOwner& owner_;
  const std::unique_ptr<net::Stream> stream_;
  const bool close_by_reset_;
  SinkCounters& counters_;
  SinkConversation conversation_;
  boost::asio::steady_timer timer_;
  base::Time armed_for_ = base::never;    // rung earlier than needed, it is armed again
  base::Time last_chance_ = base::never;  // for the peer to take its last answers
  bool waiting_ = false;                  // the owner knows that there is more
  bool gone_ = false;
};

}  // namespace windlass::app
