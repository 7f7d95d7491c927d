#include <memory>
#include <stdexcept>
#include <utility>

#include <windlass/redis.h>

#include "protocol/redis_client.h"
#include "runtime/endpoint_workers.h"

namespace windlass {
namespace {

constexpr std::uint16_t default_port = 6379;

}  // namespace

WorkerFactory redis_workers(RedisOptions options) {
  return [options = std::move(options)](runtime::Loop& loop) {
    if (options.key.empty()) throw std::invalid_argument("Redis needs a key: the name of a list, channel or stream");
    const protocol::RedisClient::Options conversation{options.data_type, options.key, options.user, options.password,
                                                      options.database};
    return runtime::endpoint_workers(loop, options, default_port, [&](const net::HostPort&) {
      return [conversation] { return std::make_unique<protocol::RedisClient>(conversation); };
    });
  };
}

}  // namespace windlass
