#include "app/sink_server.h"

#include <utility>

#include "base/assert.h"
#include "protocol/http_server.h"
#include "protocol/lumberjack_server.h"
#include "protocol/redis_server.h"

namespace windlass::app {

std::unique_ptr<protocol::ServerConversation> server_of(const ListenConfig& listen, const SinkOptions& sink) {
  switch (listen.type) {
    case OutputType::lumberjack:
      return std::make_unique<protocol::LumberjackServer>();
    case OutputType::http:
    case OutputType::elasticsearch: {
      protocol::HttpServer::Options options;
      options.bulk = listen.type == OutputType::elasticsearch;
      options.data_streams = sink.data_streams;
      options.blocked = sink.faults.blocked;
      options.status = sink.faults.status;
      if (sink.faults.max_body > 0) options.max_body = sink.faults.max_body;
      return std::make_unique<protocol::HttpServer>(std::move(options));
    }
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
