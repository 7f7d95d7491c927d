// Any protocol over the network, as a client of the balancer.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <unordered_map>

#include <windlass/client.h>

#include "net/connector.h"
#include "net/stream.h"
#include "protocol/client_conversation.h"
#include "runtime/loop.h"

namespace windlass::runtime {

/// Makes a conversation for a new connection.
using ConversationFactory = std::function<std::unique_ptr<protocol::ClientConversation>()>;

/// Joins conversations and connections (net::Connector, net::Stream). All of it happens on the loop's thread.
///
/// A connection whose conversation ends in good order, as with HTTP, is no loss: the next batch opens another one.
class ProtocolClient final : public AsyncClient, private net::Stream::Handler {
 public:
  ProtocolClient(Loop& loop, net::Connector::Options options, ConversationFactory conversations);

  void connect(Link link, std::chrono::milliseconds timeout) override;
  void publish(Batch batch, Completion done) override;
  void close() noexcept override;

 private:
  struct Published {
    Batch batch;
    Completion completion;
  };

  void on_received(std::string_view bytes) override;
  void on_sent() override;
  void on_closed(std::error_code error) override;
  void open();
  void begin(std::unique_ptr<net::Stream> stream);
  /// What every step ends with: answers are told, bytes go out, an end is noticed.
  void proceed(std::error_code error);
  void tell_answers();
  void flush();
  void lose(std::error_code error);

  net::Connector connector_;
  const ConversationFactory conversations_;
  Link link_;
  std::chrono::milliseconds timeout_{};
  bool connected_ = false;  ///< the balancer was told
  bool lost_ = false;       ///< so was it
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<protocol::ClientConversation> conversation_;
  std::unordered_map<std::uint64_t, Published> published_;  ///< by token; without an answer
  std::deque<std::uint64_t> waiting_;                       ///< of those: for the line, or for another connection
  std::uint64_t last_token_ = 0;
};

}  // namespace windlass::runtime
