// Windlass: Redis, which keeps events in a list or a stream, or hands them to subscribers.
#pragma once

#include <string>

#include <windlass/endpoints.h>
#include <windlass/workers.h>

namespace windlass {

/// What becomes of the events.
enum class RedisDataType {
  list,     ///< RPUSH: they are appended to a list, a batch at once
  channel,  ///< PUBLISH: subscribers get them. An event that nobody subscribes to is acknowledged all the same
  stream,   ///< XADD: they are appended to a stream, as entries with one field, "event"
};

/// The port is 6379 where none is given.
struct RedisOptions : EndpointOptions {
  RedisDataType data_type = RedisDataType::list;
  /// The name of the list, channel or stream.
  std::string key;
  /// Empty: Redis's own "default".
  std::string user;
  /// Empty: nothing is said of user and password, unless there is a user, who then needs none.
  std::string password;
  unsigned database = 0;
};

/// Workers that send to Redis. The factory throws std::invalid_argument for a host or a proxy that cannot be read and
/// for an empty key, and std::runtime_error, which names the file, for certificates and keys that cannot be used.
WorkerFactory redis_workers(RedisOptions options);

}  // namespace windlass
