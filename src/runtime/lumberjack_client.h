// Lumberjack over the network, as a client of the balancer.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include <windlass/client.h>

#include "net/connector.h"
#include "net/stream.h"
#include "protocol/lumberjack_client.h"
#include "runtime/loop.h"

namespace windlass::runtime {

/// Joins the conversation (protocol::LumberjackClient) and the connection (net::Connector, net::Stream). All of it
/// happens on the loop's thread.
class LumberjackClient final : public AsyncClient, private net::Stream::Handler {
 public:
  LumberjackClient(Loop& loop, net::Connector::Options options, int compression_level);

  void connect(Link link, std::chrono::milliseconds timeout) override;
  void publish(Batch batch, Completion done) override;
  void close() noexcept override;

 private:
  /// Part of a batch: one that is larger than a window may be is sent as several.
  struct Window {
    std::uint32_t first = 0;  ///< events of the batch before it
    bool last = false;
  };

  void on_received(std::string_view bytes) override;
  void on_sent() override;
  void on_closed(std::error_code error) override;
  void flush();
  void tell_answers();

  net::Connector connector_;
  const int compression_level_;
  Link link_;
  std::unique_ptr<net::Stream> stream_;
  std::optional<protocol::LumberjackClient> conversation_;
  std::deque<Batch> waiting_;           ///< for the line
  std::deque<Window> windows_;          ///< in the order of sending, as they are acknowledged
  std::deque<Completion> completions_;  ///< of the batches that the windows belong to
};

}  // namespace windlass::runtime
