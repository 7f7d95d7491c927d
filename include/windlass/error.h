// Windlass: errors on the steady path.
//
// Every call that can fail while events flow answers with a std::error_code: errc below, or a code of the system
// (errno), of Asio or of OpenSSL. Configuration is the exception: it throws, in the program.
#pragma once

#include <system_error>

namespace windlass {

/// What can go wrong. A default-constructed std::error_code means that nothing did.
enum class errc {
  // Why a publish was refused. A refused publish has no signal.
  closed = 1,  ///< close() or drain() has been called
  queue_full,  ///< no room within the budgets, and the caller did not want to wait (or is the loop's own thread)
  too_large,   ///< the publish alone exceeds a budget, so that it would never find room
  no_events,   ///< an empty publish

  // Why an accepted publish was signalled as failed.
  attempts_exhausted,  ///< every send attempt failed
  no_worker,           ///< attempts were used up waiting: no worker drew anything
  rejected,            ///< an endpoint refused the event for good
  undeliverable,       ///< endpoints that serve others well fail with the event

  // What a client says of a connection or of a send.
  no_workers_configured,  ///< a worker factory that makes no worker
  connect_failed,         ///< the connection could not be made
  connection_lost,        ///< the connection ended
  timeout,                ///< no sign of life for the configured timeout
  no_progress,            ///< signs of life, but no acknowledgement for the progress deadline
  protocol_error,         ///< the peer broke the protocol
  throttled,              ///< the peer lives but is overloaded
  temporary,              ///< the send failed and may succeed elsewhere or later
  abandoned,              ///< a client dropped a batch without an answer
  denied,                 ///< the endpoint serves nobody as it is asked to: its address, or our credentials, are wrong

  // Of a queue on disk.
  damaged,         ///< a stored event could not be read back
  queue_in_use,    ///< another process (or another balancer) works with this directory
  unknown_format,  ///< the directory was written by a newer version
};

const std::error_category& error_category() noexcept;
std::error_code make_error_code(errc code) noexcept;

/// What a failure means for the balancer.
enum class ErrorClass {
  retryable,         ///< send the batch elsewhere or later; the connection may stand
  throttled,         ///< as retryable; the endpoint asked for less
  permanent,         ///< the events are refused for good; the connection is fine
  connection_fatal,  ///< the connection is of no use any more; what is in flight on it is to be sent elsewhere
};

/// Classifies our own codes as their comments say, and the system's: an errno of a socket, and any code of another
/// category (Asio, OpenSSL, a client's own), is connection_fatal unless it compares equal to one of
/// std::errc::resource_unavailable_try_again, operation_would_block, no_buffer_space (throttled), or
/// std::errc::invalid_argument, message_size (permanent).
ErrorClass classify(const std::error_code& error) noexcept;

}  // namespace windlass

template <>
struct std::is_error_code_enum<windlass::errc> : std::true_type {};
