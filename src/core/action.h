// What a balancer wants done: its outputs.
#pragma once

#include <cstdint>
#include <memory>
#include <system_error>
#include <variant>

#include <windlass/batch.h>
#include <windlass/dead_letter.h>

#include "core/submission.h"

namespace windlass::core {

using WorkerId = std::uint32_t;

/// One connection of one worker. A later one of the same worker has a higher number; input from an earlier one changes
/// nothing.
struct ConnectionId {
  WorkerId worker = 0;
  std::uint32_t number = 0;
  friend bool operator==(const ConnectionId&, const ConnectionId&) = default;
};

/// One hand-out of one batch to one worker; never used again.
using AttemptId = std::uint64_t;

/// Events have reached their end. With Signalling::each, one publish for each of [first, first + count); with
/// Signalling::all, the whole submission, whose fields have the sums.
struct Settled {
  std::shared_ptr<Submission> submission;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::error_code reason;  ///< none: acknowledged
};

/// Events that no endpoint will take, and why. Their Settled follows.
using windlass::DeadLetter;

/// Close this connection, or the attempt to make it, then answer with on_disconnected.
struct Disconnect {
  ConnectionId connection;
  std::error_code reason;  ///< what went wrong; none: the connection is not wanted any more
};

/// Make this connection, then answer with on_connected or on_lost.
struct Connect {
  ConnectionId connection;
};

/// Send this batch over the worker's connection; answer with on_progress and on_result.
struct Send {
  WorkerId worker = 0;
  AttemptId attempt = 0;
  Batch batch;
};

/// The connection of `worker` is to be replaced: `successor` is a new worker like it, and its Connect follows.
struct Replace {
  WorkerId worker = 0;
  WorkerId successor = 0;
};

/// This worker has left for good: its id may be given to another one, whose connections have higher numbers.
struct Left {
  WorkerId worker = 0;
};

using Action = std::variant<Settled, DeadLetter, Disconnect, Connect, Send, Replace, Left>;

}  // namespace windlass::core
