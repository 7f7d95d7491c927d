// The protocols that a simulated connection may speak: both sides of each, and how our events travel in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <windlass/batch.h>

#include "events.h"
#include "protocol/client_conversation.h"
#include "protocol/http_client.h"
#include "protocol/server_conversation.h"
#include "scenario.h"

namespace windlass::sim {

enum class Protocol : std::uint8_t { lumberjack, redis, http, elasticsearch };

class Dialect {
 public:
  explicit Dialect(const Scenario& scenario);

  Protocol protocol() const { return protocol_; }
  bool is_http() const { return protocol_ == Protocol::http || protocol_ == Protocol::elasticsearch; }

  std::unique_ptr<protocol::ClientConversation> make_client();
  std::unique_ptr<protocol::ServerConversation> make_server() const;

  /// The batch as it is sent: its bytes as they are, or in JSON where that is what travels.
  Batch dressed(const Batch& batch) const;
  /// The number of an event as the server's application sees it. Throws Violation unless it is as it was written.
  EventNumber undressed(std::string_view payload) const;

 private:
  const Scenario& scenario_;
  const Protocol protocol_;
  std::shared_ptr<const protocol::HttpClient::Options> http_options_;
  std::shared_ptr<protocol::HttpMemory> http_memory_ = std::make_shared<protocol::HttpMemory>();
};

}  // namespace windlass::sim
