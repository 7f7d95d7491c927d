#include "app/sink_server.h"

#include "base/assert.h"
#include "protocol/lumberjack_server.h"
#include "protocol/redis_server.h"

namespace windlass::app {

std::unique_ptr<protocol::ServerConversation> server_of(const ListenConfig& listen, const SinkFaults&) {
  switch (listen.type) {
    case OutputType::lumberjack:
      return std::make_unique<protocol::LumberjackServer>();
    case OutputType::redis:
      return std::make_unique<protocol::RedisServer>();
    case OutputType::file:
    case OutputType::console:
      break;  // nobody listens for them
  }
  WINDLASS_ASSERT(false);
  return nullptr;
}

}  // namespace windlass::app
